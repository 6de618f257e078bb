-- schedule_run: it dials nobody before this moment
update runs set starts_at = $2, waits = 1 where run_id = $1
