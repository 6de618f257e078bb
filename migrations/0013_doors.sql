-- Until when a process has said that it lives, in program time: how long a beat holds depends on its clock.
alter table nodes add column alive_until bigint not null default 0;
