-- lock_schedule: is this still its due moment?
select next_at from schedules where schedule_id = $1
for update -- postgres
