-- find_campaign: by id or by its unique name
select campaign_id, name, settings, script, salt, created_at from campaigns
where campaign_id = $1 or name = $2
