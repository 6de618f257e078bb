-- watched_trips: paused runs of account $1 that a breaker stopped
select r.run_id, g.name as campaign, coalesce(r.state_reason, '') as reason
from runs r join campaigns g on g.campaign_id = r.campaign_id
where r.account_id = $1 and r.state in ('running', 'paused') and r.state = 'paused'
  and exists (select 1 from breaker_trips t where t.run_id = r.run_id and t.tripped_at = r.changed_at)
order by r.run_id
