-- settings_history: every version of a campaign's settings, in order
select version, settings, changed_at, actor, by_name, reason
from campaign_settings where campaign_id = $1 order by version
