-- skip_firing: this due moment makes no run
update schedules set next_at = $3 where schedule_id = $1 and next_at = $2
