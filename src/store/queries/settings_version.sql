-- settings_version: which version of its settings holds for a campaign
select settings_version from campaigns where campaign_id = $1
