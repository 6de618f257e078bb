-- metrics_in_flight: attempts of account $1 that are planned, dialing or live
select a.state, count(*) as attempts
from attempts a join runs r on r.run_id = a.run_id
where a.state in ('dialing', 'live') and r.account_id = $1
group by a.state
union all
select 'planned', count(*)
from attempts a join runs r on r.run_id = a.run_id
where a.state = 'planned' and r.account_id = $1 and r.state in ('running', 'paused')
