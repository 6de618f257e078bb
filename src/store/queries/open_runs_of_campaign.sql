-- open_runs_of_campaign: runs of it that are not over
select run_id from runs where campaign_id = $1 and kind = 'campaign' and state in ('running', 'paused') order by run_id
for update -- postgres
