-- morning_campaigns: campaigns whose settings name a report, and the newest run of each that began before $1 and was not
-- over by $2
select g.campaign_id, r.run_id
from campaigns g
join runs r on r.campaign_id = g.campaign_id
where g.kind = 'campaign' and g.settings like '%"report"%'
  and r.kind = 'campaign' and r.started_at < $1 and (r.ended_at is null or r.ended_at >= $2)
  and not exists (select 1 from runs l where l.campaign_id = g.campaign_id and l.ordinal > r.ordinal and l.started_at < $1)
order by g.campaign_id
