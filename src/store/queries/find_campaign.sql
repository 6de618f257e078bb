-- find_campaign: by id or by its unique name, the id first; a single call is none
select campaign_id, name, settings, script, salt, created_at from campaigns
where (campaign_id = $1 or name = $2) and kind = 'campaign'
order by case when campaign_id = $1 then 0 else 1 end limit 1
