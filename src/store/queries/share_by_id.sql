-- share_by_id: what a link shows, and until when
select share_id, campaign_id, language, created_at, created_by, expires_at, revoked_at
from shared_reports where share_id = $1
