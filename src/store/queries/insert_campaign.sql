-- insert_campaign: a new campaign
insert into campaigns (campaign_id, name, settings, script, salt, created_at) values ($1, $2, $3, $4, $5, $6)
