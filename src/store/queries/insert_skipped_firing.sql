-- insert_skipped_firing: why a moment made no run
insert into skipped_firings (schedule_id, due_at, until_at, reason, skipped_at) values ($1, $2, $3, $4, $5)
