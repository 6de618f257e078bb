-- lock_campaign: against a second start at the same moment
select 1 from campaigns where campaign_id = $1
for update -- postgres
