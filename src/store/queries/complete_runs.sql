-- complete_runs: running runs in which nobody waits any more
update runs
set state = 'completed', state_reason = null, changed_at = $2, ended_at = $2
where account_id = $1 and state in ('running', 'paused') and state = 'running'
  and not exists (select 1 from run_contacts c where c.run_id = runs.run_id and c.disposition is null)
