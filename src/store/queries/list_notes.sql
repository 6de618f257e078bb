-- list_notes: of a campaign, by import and line
select o.line, o.field, o.reason, o.raw
from import_notes o join imports i on i.batch_id = o.batch_id
where i.campaign_id = $1 order by i.ordinal, o.line, o.field
