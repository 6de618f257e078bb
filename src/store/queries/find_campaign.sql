-- find_campaign: by id or by its unique name; a single call is none
select campaign_id, name, settings, script, salt, created_at from campaigns
where (campaign_id = $1 or name = $2) and kind = 'campaign'
