-- Telling people and programs what happens: endpoints of outgoing webhooks, notices, their deliveries, alerts, and the
-- reports of a morning.

-- Where programs want to be told.
create table endpoints
(
    endpoint_id     bigint not null primary key,
    url             text   not null,
    secret          text   not null,      -- signs what is sent: it has to be kept as it is
    kinds           text   not null,      -- a JSON list of kinds; empty: all of them
    note            text,
    created_at      bigint not null,

    disabled_at     bigint,
    disabled_reason text
);

-- Something worth telling, once. `source` names what it tells of, so that a second look makes no second notice.
create table notices
(
    notice_id   bigint not null primary key,
    source      text   not null unique,
    kind        text   not null,
    happened_at bigint not null,
    title       text   not null,
    body        text   not null,          -- for people, Markdown
    data        text   not null           -- for programs, JSON
);

-- One notice on its way to one addressee.
create table deliveries
(
    delivery_id bigint not null primary key,
    notice_id   bigint not null references notices (notice_id),
    channel     text   not null check (channel in ('webhook', 'email', 'telegram')),
    endpoint_id bigint references endpoints (endpoint_id),
    target      text   not null,

    state       text   not null check (state in ('waiting', 'delivered', 'failed')),
    tries       bigint not null default 0,
    due_at      bigint,
    ended_at    bigint,

    unique (notice_id, channel, target),
    check ((state = 'waiting') = (due_at is not null)),
    check ((state = 'waiting') = (ended_at is null))
);

create index deliveries_due on deliveries (due_at) where due_at is not null;
create index deliveries_by_endpoint on deliveries (endpoint_id, delivery_id);

-- What became of each try.
create table delivery_tries
(
    delivery_id bigint not null references deliveries (delivery_id),
    try_number  bigint not null check (try_number >= 1),
    tried_at    bigint not null,
    status      bigint,                   -- of HTTP, where there was an answer
    told        text,                     -- what went wrong
    took_ms     bigint not null,          -- real time

    primary key (delivery_id, try_number)
);

-- How far each kind of happening has been looked at.
create table notice_cursors
(
    name    text   not null primary key,
    seen_at bigint not null
);

-- What people are told of, until it is over.
create table alerts
(
    alert_id    bigint not null primary key,
    kind        text   not null check (kind in ('breaker', 'balance', 'idle', 'night')),
    subject     text   not null,
    told        text   not null,
    raised_at   bigint not null,

    resolved_at bigint
);

create unique index one_open_alert on alerts (kind, subject) where resolved_at is null;

-- One report for each campaign and day, over restarts and nodes.
create table morning_reports
(
    campaign_id bigint not null references campaigns (campaign_id),
    day         text   not null,
    made_at     bigint not null,

    primary key (campaign_id, day)
);

-- What happened since a moment, whichever run it happened to.
create index run_transitions_by_time on run_transitions (at);
