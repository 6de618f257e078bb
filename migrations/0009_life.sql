-- The life of runs and campaigns: who changed what, when and why; draining, waiting for a first moment, holding
-- after the first so many; settings that change while a run is open.

-- Beside the state, which it stands in: a draining run calls nobody new; a run that waits has its first moment
-- still before it; one that is closed to new contacts lets no later list join.
alter table runs add column draining_at bigint;
alter table runs add column starts_at bigint;
alter table runs add column waits bigint not null default 0 check (waits in (0, 1));
alter table runs add column joinable bigint not null default 1 check (joinable in (0, 1));

-- Every change of a run's state: written in the transaction that makes it, never changed.
create table run_transitions
(
    run_id  bigint not null references runs (run_id),
    seq     bigint not null check (seq >= 1),
    state   text   not null check (state in ('scheduled', 'running', 'draining', 'paused', 'stopped', 'completed')),
    at      bigint not null,
    actor   text   not null check (actor in ('api', 'cli', 'schedule', 'halo')),
    by_name text,                         -- as the request gave it
    reason  text,

    primary key (run_id, seq)
);

insert into run_transitions (run_id, seq, state, at, actor, reason)
select run_id, 1, state, changed_at, 'halo', state_reason from runs;

-- The great pause, and its ends.
create table account_transitions
(
    account_id bigint not null references accounts (account_id),
    seq        bigint not null check (seq >= 1),
    state      text   not null check (state in ('running', 'paused')),
    at         bigint not null,
    actor      text   not null check (actor in ('api', 'cli', 'schedule', 'halo')),
    by_name    text,
    reason     text,

    primary key (account_id, seq)
);

-- A run that pauses itself: after so many contacts were dialled since the hold was set. Only the grant counts, under
-- this row's lock, so that grants at the same moment cannot overrun it.
create table run_holds
(
    run_id     bigint not null primary key references runs (run_id),
    hold_after bigint not null check (hold_after >= 1),
    dialled    bigint not null default 0 check (dialled between 0 and hold_after),
    since_at   bigint not null
);

-- Every version that a campaign's settings had; the newest stands in the campaign itself.
alter table campaigns add column settings_version bigint not null default 1;

create table campaign_settings
(
    campaign_id bigint not null references campaigns (campaign_id),
    version     bigint not null check (version >= 1),
    settings    text   not null,
    changed_at  bigint not null,
    actor       text   not null check (actor in ('api', 'cli', 'schedule', 'halo')),
    by_name     text,
    reason      text,

    primary key (campaign_id, version)
);

insert into campaign_settings (campaign_id, version, settings, changed_at, actor)
select campaign_id, 1, settings, created_at, 'halo' from campaigns where kind = 'campaign';
