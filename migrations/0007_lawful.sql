-- What the law asks of a call besides its hour: how often, with whose consent, and who said never again.

-- Caps and gaps are counted from calls to a number over all campaigns.
create index attempts_by_number on attempts (number_id, dialed_at);

-- Proof of consent, as the list brought it.
alter table contacts add column consent_kind text;
alter table contacts add column consent_at bigint;
alter table contacts add column consent_source text;

-- Who asked for a suppression: the callee's own word weighs more than an operator's.
alter table numbers add column suppressed_by text check (suppressed_by in ('callee', 'operator'));

update numbers
set suppressed_by = case when suppressed_reason in ('asked in a call', 'asked when ringing back')
                         then 'callee' else 'operator' end
where suppressed_at is not null;

create index numbers_suppressed on numbers (suppressed_at, number_id) where suppressed_at is not null;

-- Suppressions that were lifted: who may be called again, and why.
create table lifted_suppressions
(
    number_id         bigint not null references numbers (number_id),
    suppressed_at     bigint not null,
    suppressed_reason text,
    suppressed_by     text,
    lifted_at         bigint not null,
    lifted_reason     text   not null
);

create index lifted_by_number on lifted_suppressions (number_id, lifted_at);
