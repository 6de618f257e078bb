-- trip_run: a run stops dialling unless somebody has paused or resumed it meanwhile
update runs set state = 'paused', state_reason = $2, changed_at = $3
where run_id = $1 and state = 'running' and changed_at = $4
