-- runs_in_the_way: when the runs ended that were open at a moment or began after it; null while one is open
select ended_at from runs
where campaign_id = $1 and kind = 'campaign' and (ended_at is null or ended_at > $2)
