-- put_schedule: when a campaign runs by itself from now on
insert into schedules (schedule_id, campaign_id, cron, timezone, take, overlap, next_at) values ($1, $2, $3, $4, $5, $6, $7)
on conflict (campaign_id) do update
set cron = excluded.cron, timezone = excluded.timezone, take = excluded.take, overlap = excluded.overlap,
    next_at = excluded.next_at
