-- list_campaigns: newest first, without single calls
select campaign_id, name, settings, script, salt, created_at from campaigns where kind = 'campaign'
order by campaign_id desc limit $1
