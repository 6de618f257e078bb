-- shares_of_campaign: every link to its report, the newest first
select share_id, campaign_id, language, created_at, created_by, expires_at, revoked_at
from shared_reports where campaign_id = $1 order by share_id desc
