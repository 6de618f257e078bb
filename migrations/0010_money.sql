-- Money. What a call may cost is reserved with its grant and settled when it has ended, and again when history
-- bills it. Amounts are micros of the currency of prices.toml.

-- What a run, or a campaign's day, has spent and reserved. Locked by whoever reserves: concurrency cannot overrun it.
create table budgets
(
    owner_id        bigint not null,              -- a run (day_at 0), or a campaign for one of its days
    day_at          bigint not null,              -- when that day began in the campaign's zone

    spent_micros    bigint not null default 0,
    reserved_micros bigint not null default 0 check (reserved_micros >= 0),

    primary key (owner_id, day_at)
);

-- What each granted attempt of such a run holds of them. The sums of these rows are the counters above.
create table reservations
(
    attempt_id      bigint not null primary key references attempts (attempt_id),
    run_id          bigint not null references runs (run_id),

    day_at          bigint not null,              -- the day it was granted on
    granted_at      bigint not null,
    tariff          text   not null,              -- the prices it was granted by, as JSON
    reserved_micros bigint not null check (reserved_micros >= 0),
    provider_micros bigint not null check (provider_micros >= 0),
    models_micros   bigint not null check (models_micros >= 0)
);

create index reservations_by_run on reservations (run_id, granted_at);
create index reservations_open on reservations (run_id) where reserved_micros > 0;

-- Breakers that paused a run.
create table breaker_trips
(
    run_id     bigint           not null references runs (run_id),
    name       text             not null,
    arm        text             not null,         -- empty: the run as a whole
    tripped_at bigint           not null,
    value      double precision not null,
    threshold  double precision not null,

    primary key (run_id, name, arm, tripped_at)
);

-- The last ended attempts of an arm, which breakers look at every second.
create index attempts_ended on attempts (run_id, mode, ended_at) where state = 'ended';
