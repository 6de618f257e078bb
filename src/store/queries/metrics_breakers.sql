-- metrics_breakers: paused runs of account $1 by the breaker that paused them
select t.name, count(distinct r.run_id) as runs
from runs r join breaker_trips t on t.run_id = r.run_id and t.tripped_at = r.changed_at
where r.account_id = $1 and r.state in ('running', 'paused') and r.state = 'paused'
group by t.name
