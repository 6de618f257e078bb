-- list_imports: of a campaign, in their order
select batch_id, ordinal, source, rows_total, accepted, duplicates, refused, imported_at, split
from imports where campaign_id = $1 order by ordinal
