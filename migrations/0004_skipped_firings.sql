-- Moments of a schedule that made no run, with the reason: a night that is missing must be explicable.
create table skipped_firings
(
    schedule_id bigint not null references schedules (schedule_id),
    due_at      bigint not null,          -- the first moment that was skipped
    until_at    bigint,                   -- the next one that counts; null when there is none
    reason      text   not null,
    skipped_at  bigint not null,

    primary key (schedule_id, due_at)
);
