-- watched_nights: schedules whose newest moment since $1 made no run, and those that are late since $2
select s.schedule_id, g.name as campaign, k.due_at, k.reason
from schedules s
join campaigns g on g.campaign_id = s.campaign_id
join skipped_firings k on k.schedule_id = s.schedule_id
where k.skipped_at >= $1
  and not exists (select 1 from skipped_firings l where l.schedule_id = s.schedule_id and l.due_at > k.due_at)
  and not exists (select 1 from runs r where r.schedule_id = s.schedule_id and r.started_at > k.skipped_at)
union all
select s.schedule_id, g.name, s.next_at, 'no scheduler took it up'
from schedules s
join campaigns g on g.campaign_id = s.campaign_id
where s.next_at is not null and s.next_at < $2 and s.overlap <> 'wait'
