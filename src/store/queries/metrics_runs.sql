-- metrics_runs: open runs of account $1 by state
select state, count(*) as runs from runs where account_id = $1 and state in ('running', 'paused') group by state
