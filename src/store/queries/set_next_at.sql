-- set_next_at: the next firing
update schedules set next_at = $2 where schedule_id = $1
