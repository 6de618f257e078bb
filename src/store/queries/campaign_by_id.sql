-- campaign_by_id: what is needed to call for it, single calls included
select campaign_id, name, settings, script, salt, created_at from campaigns where campaign_id = $1
