-- end_schedule: the campaign no longer runs by itself; what its schedule did stays told
update schedules set next_at = null where campaign_id = $1
