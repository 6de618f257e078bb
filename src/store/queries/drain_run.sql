-- drain_run: from now on nobody new is called in it
update runs set draining_at = $2, waits = 0, state_reason = $3
where run_id = $1 and state in ('running', 'paused') and draining_at is null
