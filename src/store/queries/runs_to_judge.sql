-- runs_to_judge: runs that are open, or were when $1 had come, of campaigns whose settings name a judge
select r.campaign_id, r.run_id
from campaigns g
join runs r on r.campaign_id = g.campaign_id
where g.kind = 'campaign' and g.settings like '%"judge"%' and r.kind = 'campaign'
  and (r.ended_at is null or r.ended_at >= $1)
order by r.campaign_id, r.ordinal
