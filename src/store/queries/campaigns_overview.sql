-- campaigns_overview: campaigns before $2, the newest first: how many contacts and runs, the newest run and how far it
-- is, calls since $1, the next firing
select g.campaign_id, g.name, g.created_at,
       cast((select coalesce(sum(i.accepted), 0) from imports i where i.campaign_id = g.campaign_id) as bigint) as contacts,
       (select count(*) from runs x where x.campaign_id = g.campaign_id) as runs,
       (select count(*) from runs x join attempts a on a.run_id = x.run_id
        where x.campaign_id = g.campaign_id and a.dialed_at >= $1) as called,
       (select s.next_at from schedules s where s.campaign_id = g.campaign_id) as next_at,
       r.run_id, r.ordinal, r.state, r.state_reason, r.started_at, r.changed_at, r.ended_at, r.draining_at, r.starts_at,
       (select count(*) from run_contacts c where c.run_id = r.run_id) as taken,
       (select count(*) from run_contacts c where c.run_id = r.run_id and c.disposition is not null) as rested,
       (select count(*) from run_contacts c where c.run_id = r.run_id and c.disposition = 'answered') as answered,
       (select count(*) from attempts a where a.run_id = r.run_id and a.state in ('dialing', 'live')) as live
from campaigns g
left join runs r on r.run_id = (select max(x.run_id) from runs x where x.campaign_id = g.campaign_id)
where g.kind = 'campaign' and g.campaign_id < $2
order by g.campaign_id desc
limit $3
