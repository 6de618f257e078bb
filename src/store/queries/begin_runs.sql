-- begin_runs: running runs whose first moment has come
update runs set waits = 0, changed_at = $2
where account_id = $1 and state = 'running' and waits = 1 and starts_at <= $2
returning run_id
