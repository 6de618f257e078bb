-- skipped_firings: moments that made no run, the newest first
select s.schedule_id, x.campaign_id, s.due_at, s.until_at, s.reason, s.skipped_at
from skipped_firings s
join schedules x on x.schedule_id = s.schedule_id
order by s.due_at desc, s.schedule_id
limit $1
