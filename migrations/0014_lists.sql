-- What a list says of a contact besides: from when and until when it may be called, who goes first, and what kind of
-- line its number is.

alter table contacts add column not_before_at bigint;
alter table contacts add column not_after_at bigint;
alter table contacts add column priority bigint not null default 0 check (priority between 0 and 9);
alter table contacts add column phone_kind text;

-- The columns of a file in their order, as JSON, so that a list can be given back as it came; and the name that whoever
-- sent it gave to the sending, so that the same sending is not taken in twice.
alter table imports add column columns text;
alter table imports add column idempotency_key text;
create unique index imports_by_key on imports (idempotency_key) where idempotency_key is not null;
create index imports_by_time on imports (imported_at);
