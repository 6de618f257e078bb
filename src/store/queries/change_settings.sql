-- change_settings: the next version of a campaign's settings
update campaigns set settings = $2, settings_version = settings_version + 1, name = $4
where campaign_id = $1 and settings_version = $3
