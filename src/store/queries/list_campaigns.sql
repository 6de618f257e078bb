-- list_campaigns: newest first, behind one of them, without single calls
select campaign_id, name, settings, script, salt, created_at from campaigns where kind = 'campaign' and campaign_id < $2
order by campaign_id desc limit $1
