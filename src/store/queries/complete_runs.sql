-- complete_runs: of the runs $3, those in which nobody waits any more; one that is paused has nothing left to hold either
update runs
set state = 'completed', state_reason = null, changed_at = $2, ended_at = $2
where account_id = $1 and run_id in (select cast(w.value as bigint) from json_each($3) as w) -- sqlite
where account_id = $1 and run_id in (select cast(w.value as bigint) from json_array_elements_text(cast($3 as json)) as w (value)) -- postgres
  and state in ('running', 'paused')
  and not exists (select 1 from run_contacts c where c.run_id = runs.run_id and c.disposition is null)
returning run_id
