-- lock_open_runs: open runs, held against a late truth that wakes their last contact
select run_id from runs where account_id = $1 and state in ('running', 'paused') order by run_id
for update -- postgres
