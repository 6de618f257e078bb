-- Who may ask, who did what, what was shared, and who has been erased.

-- Keys of the API. The one of the settings (API_AUTH_KEY) is none of these rows.
create table keys
(
    key_id     bigint not null primary key,
    name       text   not null,
    role       text   not null check (role in ('viewer', 'operator', 'admin')),
    key_hash   text   not null unique,      -- SHA-256; the key itself is shown once and kept nowhere
    created_at bigint not null,
    created_by text   not null,
    expires_at bigint,

    revoked_at bigint,
    used_at    bigint                       -- to the minute
);

-- Who did what. People stand here by the ids of their numbers alone.
create table audit
(
    audit_id     bigint not null primary key,
    at           bigint not null,
    door         text   not null check (door in ('api', 'cli', 'halo')),
    key_id       bigint,                    -- null: the key of the settings, or none
    actor        text   not null,
    role         text   not null,
    action       text   not null,
    subject_type text,
    subject      text,
    request_id   text   not null,
    detail       text   not null            -- JSON
);

create index audit_by_subject on audit (subject, audit_id) where subject is not null;
create index audit_by_action on audit (action, audit_id);

create trigger audit_is_never_changed before update on audit begin select raise(abort, 'the audit is only added to'); end; -- sqlite
create trigger audit_is_never_emptied before delete on audit begin select raise(abort, 'the audit is only added to'); end; -- sqlite
create function audit_is_only_added_to() returns trigger language plpgsql as $$ begin raise exception 'the audit is only added to'; end $$; -- postgres
create trigger audit_is_never_changed before update or delete on audit for each row execute function audit_is_only_added_to(); -- postgres
create trigger audit_is_never_emptied before truncate on audit for each statement execute function audit_is_only_added_to(); -- postgres

-- Reports that are shown to whoever has the link. The link is signed; revoking this row ends it.
create table shared_reports
(
    share_id    bigint not null primary key,
    campaign_id bigint not null references campaigns (campaign_id),
    language    text   not null check (language in ('en', 'ru')),
    created_at  bigint not null,
    created_by  text   not null,
    expires_at  bigint not null,

    revoked_at  bigint
);

create index shared_reports_by_campaign on shared_reports (campaign_id);

-- A person who was erased keeps a row in numbers, so that calls stay counted, under digits that no country has.
alter table numbers add column erased_at bigint;

-- What is kept of an erased number: a hash under the installation's key, so that it is known again in a later list, and
-- whether the person may be called at all.
create table erased_numbers
(
    number_id    bigint not null primary key references numbers (number_id),
    number_hash  text   not null,
    erased_at    bigint not null,
    opted_out_by text   check (opted_out_by in ('callee', 'operator'))   -- null: did not
);

create index erased_by_hash on erased_numbers (number_hash);

-- Recordings that the provider still keeps of people who were erased, or for longer than the installation wants: asked
-- for until it has deleted them.
create table doomed_records
(
    url        text   not null primary key,
    attempt_id bigint not null references attempts (attempt_id),
    account_id bigint not null references accounts (account_id),
    doomed_at  bigint not null,

    ask_at     bigint not null,
    tries      bigint not null default 0,
    trouble    text
);

create index doomed_records_to_ask on doomed_records (account_id, ask_at);

-- How long texts, links to recordings and raw rows are kept, in days; no row keeps them for good.
create table retention
(
    what text   not null primary key check (what in ('transcripts', 'recordings', 'raw')),
    days bigint not null check (days between 1 and 3650)
);
