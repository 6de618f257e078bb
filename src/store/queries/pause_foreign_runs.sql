-- pause_foreign_runs: runs of other platforms do not dial here
update runs set state = 'paused', state_reason = $2, changed_at = $3
where state = 'running' and account_id <> $1
returning run_id
