-- list_campaigns: newest first
select campaign_id, name, settings, script, salt, created_at from campaigns order by campaign_id desc limit $1
