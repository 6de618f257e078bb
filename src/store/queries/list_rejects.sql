-- list_rejects: of a campaign, by import and line
select r.line, r.bucket, r.field, r.reason, r.raw, r.cells
from rejects r join imports i on i.batch_id = r.batch_id
where i.campaign_id = $1 order by i.ordinal, r.line
