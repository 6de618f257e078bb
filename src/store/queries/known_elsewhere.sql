-- known_elsewhere: which of these numbers other campaigns have in lists of this time and later, the oldest first
select n.e164, k.name as campaign, i.ordinal, c.line, i.imported_at
from imports i
join campaigns k on k.campaign_id = i.campaign_id and k.kind = 'campaign'
cross join json_each($2) as w -- sqlite
cross join json_array_elements_text(cast($2 as json)) as w (value) -- postgres
join numbers n on n.e164 = w.value
join contacts c on c.campaign_id = k.campaign_id and c.number_id = n.number_id and c.batch_id = i.batch_id
where i.imported_at >= $3 and k.campaign_id <> $1
order by i.imported_at, i.batch_id
