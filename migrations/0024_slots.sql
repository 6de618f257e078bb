-- Slots given last, apart from accounts and runs: a planner writes them all the time, and those rows are what every
-- decision shares with it against a pause. The row of the account is what planners of several nodes take turns by.
create table account_slots (
    account_id bigint primary key references accounts (account_id),
    last_slot_us bigint not null default 0
);
insert into account_slots (account_id, last_slot_us) select account_id, last_slot_us from accounts;
alter table accounts drop column last_slot_us;

create table run_slots (
    run_id bigint primary key references runs (run_id),
    last_slot_us bigint not null
);
insert into run_slots (run_id, last_slot_us) select run_id, last_slot_us from runs where last_slot_us > 0;
alter table runs drop column last_slot_us;
