-- lock_open_runs: running runs, held against a late truth that wakes their last contact
select run_id from runs where account_id = $1 and state = 'running' order by run_id
for update -- postgres
