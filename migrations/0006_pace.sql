-- Caller ids in rotation, and the pace that the provider bears.

-- The account's brake: how fast starts may leave since the provider complained. What it allows now follows from
-- these values and the time alone, so that every node obeys it and a restart forgets nothing.
alter table accounts add column brake_cps double precision check (brake_cps > 0);  -- right after the last step
alter table accounts add column brake_top double precision check (brake_top > 0);  -- where it ends, without a limit
alter table accounts add column brake_every_ms bigint;                             -- between two rises, program time
alter table accounts add column brake_stepped_at bigint;
alter table accounts add column brake_since_at bigint;
alter table accounts add column brake_reason text;

-- Smooth weighted rotation: what each caller id is owed.
alter table caller_ids add column balance bigint not null default 0;

-- How often a caller id was used today.
create index attempts_by_caller on attempts (caller_id, dialed_at) where dialed_at is not null;
create index attempts_due_by_caller on attempts (caller_id) where state in ('planned', 'dialing');

-- What left in the last second.
create index starts_by_time on starts (claimed_at);
