-- turning_runs: runs that begin or end now, held against a late truth that wakes their last contact
select run_id from runs
where account_id = $1 and state in ('running', 'paused')
  and (state = 'running' and waits = 1 and starts_at <= $2
       or not exists (select 1 from run_contacts c where c.run_id = runs.run_id and c.disposition is null))
order by run_id
for update -- postgres
