-- The schema, for SQLite and PostgreSQL alike. Instants are unix milliseconds of program time in columns
-- ending _at; slots are microseconds; states, modes and outcomes are text. Columns written once come first.

-- What belongs to this installation as a whole: its key, the clock's anchor.
create table installation
(
    name  text not null primary key,
    value text not null
);

-- One row per platform (address and account): pace, lines and the great pause hang on it.
create table accounts
(
    account_id   bigint not null primary key,
    platform     text   not null unique,

    cps_max      double precision check (cps_max > 0),
    lines_max    bigint check (lines_max > 0),
    paused_at    bigint,
    pause_reason text,
    last_slot_us bigint not null default 0
);

-- When each caller id was last given a slot.
create table caller_ids
(
    account_id   bigint not null references accounts (account_id),
    e164         text   not null,
    last_slot_us bigint not null default 0,

    primary key (account_id, e164)
);

create table campaigns
(
    campaign_id bigint not null primary key,
    name        text   not null unique,
    settings    text   not null,
    script      text   not null,
    salt        text   not null,
    created_at  bigint not null
);

-- One import of a file. Every row of it ends in exactly one bucket.
create table imports
(
    batch_id     bigint not null primary key,
    campaign_id  bigint not null references campaigns (campaign_id),
    ordinal      bigint not null check (ordinal >= 1),
    source       text   not null,
    content_hash text   not null,
    rows_total   bigint not null,
    accepted     bigint not null,
    duplicates   bigint not null,
    refused      bigint not null,
    imported_at  bigint not null,

    unique (campaign_id, ordinal),
    check (rows_total = accepted + duplicates + refused)
);

create table rejects
(
    batch_id bigint not null references imports (batch_id),
    line     bigint not null,
    bucket   text   not null check (bucket in ('duplicate', 'refused')),
    field    text   not null,
    reason   text   not null,
    raw      text   not null,

    primary key (batch_id, line)
);

-- One row per E.164 over all campaigns.
create table numbers
(
    number_id         bigint not null primary key,
    e164              text   not null unique,

    suppressed_at     bigint,
    suppressed_reason text,
    allow_listed_at   bigint
);

create table contacts
(
    contact_id  bigint not null primary key,
    campaign_id bigint not null references campaigns (campaign_id),
    batch_id    bigint not null references imports (batch_id),
    number_id   bigint not null references numbers (number_id),
    line        bigint not null,
    mode        text   not null,
    own_mode    bigint not null check (own_mode in (0, 1)),
    dial_order  bigint not null,
    name        text,
    timezone    text,
    external_id text,
    variables   text   not null,
    raw_phone   text   not null,

    unique (campaign_id, number_id)
);

create table schedules
(
    schedule_id bigint not null primary key,
    campaign_id bigint not null unique references campaigns (campaign_id),
    cron        text   not null,
    timezone    text   not null,
    take        text   not null,
    overlap     text   not null check (overlap in ('end-previous', 'skip', 'wait')),

    next_at     bigint
);

create table runs
(
    run_id       bigint not null primary key,
    campaign_id  bigint not null references campaigns (campaign_id),
    account_id   bigint not null references accounts (account_id),
    ordinal      bigint not null check (ordinal >= 1),
    kind         text   not null check (kind in ('campaign', 'single')),
    schedule_id  bigint references schedules (schedule_id),
    due_at       bigint,
    started_at   bigint not null,

    state        text   not null check (state in ('running', 'paused', 'stopped', 'completed')),
    state_reason text,
    changed_at   bigint not null,
    ended_at     bigint,
    last_slot_us bigint not null default 0,
    ungranted    bigint not null default 0,   -- started sessions in a row that asked for no grant
    prohibited   bigint not null default 0,   -- prohibited calls in a row

    unique (campaign_id, ordinal),
    unique (schedule_id, due_at),
    check ((state in ('stopped', 'completed')) = (ended_at is not null))
);

create index runs_open on runs (account_id) where state in ('running', 'paused');

-- One contact in one run: the only thing that waits.
create table run_contacts
(
    run_contact_id bigint not null primary key,
    run_id         bigint not null references runs (run_id),
    contact_id     bigint not null references contacts (contact_id),
    number_id      bigint not null references numbers (number_id),
    mode           text   not null,
    dial_order     bigint not null,

    due_at         bigint,                -- null while an attempt is dialing or live, and at rest
    gate           text,                  -- what holds it until then
    leased_until   bigint not null default 0,
    disposition    text,
    rested_at      bigint,

    unique (run_id, contact_id),
    check ((disposition is null) = (rested_at is null)),
    check (disposition is null or due_at is null)
);

create index run_contacts_due on run_contacts (run_id, due_at, dial_order) where due_at is not null;
create index run_contacts_open on run_contacts (run_id) where disposition is null;
create index run_contacts_by_contact on run_contacts (contact_id);

create table attempts
(
    -- written once
    attempt_id     bigint not null primary key,
    run_contact_id bigint not null references run_contacts (run_contact_id),
    run_id         bigint not null references runs (run_id),
    number_id      bigint not null references numbers (number_id),
    try_number     bigint not null check (try_number between 1 and 1000),
    mode           text   not null,
    caller_id      text,
    planned_at     bigint not null,

    -- rewritten only by plan and apply; a planned attempt's due_at is its contact's
    state          text   not null check (state in ('planned', 'dialing', 'live', 'ended')),
    slot_us        bigint not null,
    claimed_at     bigint,
    token_hash     text,
    dialed_at      bigint,
    session_id     bigint,                -- the granted session; a start's own answer stands in starts
    held_until     bigint,
    ended_at       bigint,
    outcome        text,
    evidence       text,                  -- who brought the end: event, history, silence, us
    corrected_at   bigint,                -- when a late truth replaced lost
    ungranted      bigint not null default 0,
    told           text,                  -- fingerprint of what the mode was told

    unique (run_contact_id, try_number),
    check ((state = 'ended') = (ended_at is not null)),
    check ((state = 'ended') = (outcome is not null)),
    check (state <> 'live' or (dialed_at is not null and session_id is not null and held_until is not null)),
    check (state <> 'dialing' or (claimed_at is not null and token_hash is not null))
);

create unique index one_open_attempt on attempts (run_contact_id) where state <> 'ended';
create unique index one_live_call on attempts (number_id) where state = 'live';
create index attempts_by_run on attempts (run_id, state);
create index attempts_in_flight on attempts (state) where state in ('dialing', 'live');

-- Every start that was sent, by its token: a start's answer can be lost, and one start can make two sessions.
create table starts
(
    token_hash  text   not null primary key,
    attempt_id  bigint not null references attempts (attempt_id),
    claimed_at  bigint not null,

    session_id  bigint,
    access_url  text,
    answered_at bigint,
    result      text                      -- started, refused, unclear
);

create index starts_by_attempt on starts (attempt_id);

-- What sessions reported, each event once. Plain events without a number of their own get negative ones.
create table events
(
    attempt_id  bigint not null references attempts (attempt_id),
    session_id  bigint not null,
    seq         bigint not null,
    event       text   not null,
    at_ms       bigint,
    received_at bigint not null,
    body        text   not null,

    primary key (attempt_id, session_id, seq)
);

-- The call of an attempt, as its final report tells it. Durations are session milliseconds.
create table calls
(
    attempt_id         bigint not null primary key references attempts (attempt_id),
    session_id         bigint not null,
    source             text   not null check (source in ('event', 'history')),
    code               bigint,
    reason             text,
    hung_up_by         text,
    goal               bigint check (goal in (0, 1)),
    answers            text,
    fault              text,
    machine            bigint not null check (machine in (0, 1)),
    answer_ms          bigint,
    ring_ms            bigint,
    first_audio_ms     bigint,
    first_audio_method text,
    talk_ms            bigint,
    cost_micros        bigint
);

create table turns
(
    attempt_id     bigint not null references attempts (attempt_id),
    turn           bigint not null check (turn >= 1),
    callee_text    text,
    agent_text     text,
    callee_end_ms  bigint,
    agent_start_ms bigint,
    turn_ms        bigint,
    method         text   not null,
    asr_ms         bigint,
    reply_ms       bigint,
    model_ms       bigint,
    tts_ms         bigint,
    filler         bigint not null check (filler in (0, 1)),
    interrupted    bigint not null check (interrupted in (0, 1)),

    primary key (attempt_id, turn)
);

-- Our side of a conversation: asking twice for the same turn gives the same answer.
create table dialogue_turns
(
    attempt_id bigint not null references attempts (attempt_id),
    turn       bigint not null check (turn >= 0),
    text       text   not null,
    reply      text   not null,
    record     text   not null,
    at         bigint not null,

    primary key (attempt_id, turn)
);

-- What the provider's own history says of a session.
create table history
(
    session_id bigint not null primary key,
    attempt_id bigint not null references attempts (attempt_id),
    calls      bigint not null,
    body       text   not null,
    fetched_at bigint not null
);

create index history_by_attempt on history (attempt_id);

-- Who leads: sweeps and schedules are done by one node. Every act names its generation.
create table leaderships
(
    name       text   not null primary key,
    owner      text   not null,
    generation bigint not null,
    until_at   bigint not null
);
