-- keep_settings: the version that holds now goes into the history
insert into campaign_settings (campaign_id, version, settings, changed_at, actor, by_name, reason)
select campaign_id, settings_version, settings, $2, $3, $4, $5 from campaigns where campaign_id = $1
