-- sent_before: the latest list of the campaign with this content
select i.batch_id, i.campaign_id, k.name as campaign, i.ordinal, i.content_hash, i.rows_total, i.accepted, i.duplicates,
       i.refused, i.imported_at
from imports i
join campaigns k on k.campaign_id = i.campaign_id
where i.campaign_id = $1 and i.content_hash = $2
order by i.ordinal desc
limit 1
