-- pause_every_run: every run that dials, of whatever account, for the reason $1
update runs set state = 'paused', state_reason = $1, changed_at = $2
where state = 'running'
returning run_id
