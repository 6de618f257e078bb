-- insert_schedule: when a campaign runs by itself
insert into schedules (schedule_id, campaign_id, cron, timezone, take, overlap, next_at) values ($1, $2, $3, $4, $5, $6, $7)
