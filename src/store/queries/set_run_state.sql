-- set_run_state: pause, resume or stop a run that is not over
update runs set state = $2, state_reason = $3, changed_at = $4, ungranted = 0, not_dialled = 0,
                prohibited = 0,
                ended_at = case when $2 = 'stopped' then cast($4 as bigint) else null end
where run_id = $1 and state in ('running', 'paused')
