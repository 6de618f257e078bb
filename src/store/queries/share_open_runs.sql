-- share_open_runs: open runs, held against a pause and against their end
select run_id from runs where account_id = $1 and state in ('running', 'paused') order by run_id
for share -- postgres
