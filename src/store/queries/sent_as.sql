-- sent_as: the list that came with this key
select i.batch_id, i.campaign_id, k.name as campaign, i.ordinal, i.content_hash, i.rows_total, i.accepted, i.duplicates,
       i.refused, i.imported_at
from imports i
join campaigns k on k.campaign_id = i.campaign_id
where i.idempotency_key = $1
