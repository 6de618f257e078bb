-- allow_list_campaign: every number of a campaign may be rung by a test, whatever the hour
update numbers set allow_listed_at = $2
where allow_listed_at is null and number_id in (select number_id from contacts where campaign_id = $1)
