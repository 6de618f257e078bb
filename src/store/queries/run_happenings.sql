-- run_happenings: changes of runs since $1 that nobody was told of
select t.run_id, t.seq, t.state, t.at, t.reason, r.ordinal, g.campaign_id, g.name as campaign,
       exists (select 1 from run_transitions b
               where b.run_id = t.run_id and b.seq < t.seq and b.state = 'running') as again
from run_transitions t
join runs r on r.run_id = t.run_id
join campaigns g on g.campaign_id = r.campaign_id
where t.at >= $1 and r.kind = 'campaign' and t.state in ('running', 'paused', 'stopped', 'completed')
  and not exists (select 1 from notices n where n.source = 'run:' || cast(t.run_id as text) || ':' || cast(t.seq as text))
order by t.at, t.run_id, t.seq
limit $2
