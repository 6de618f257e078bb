-- apply_run_paused: a running run stops dialling, with a reason
update runs set state = 'paused', state_reason = $2, changed_at = $3 where run_id = $1 and state = 'running'
