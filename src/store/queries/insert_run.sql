-- insert_run: a run that dials from now on
insert into runs (run_id, campaign_id, account_id, ordinal, kind, schedule_id, due_at, started_at, state, changed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, 'running', $8)
