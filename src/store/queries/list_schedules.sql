-- list_schedules: all, by their next firing
select schedule_id, campaign_id, cron, timezone, take, overlap, next_at from schedules order by next_at, schedule_id
