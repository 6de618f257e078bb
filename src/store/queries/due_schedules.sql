-- due_schedules: whose moment has come
select schedule_id, campaign_id, cron, timezone, take, overlap, next_at from schedules
where next_at is not null and next_at <= $1 order by next_at
