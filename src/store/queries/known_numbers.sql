-- known_numbers: which of these numbers the campaign has already, and where
select n.e164, i.ordinal, c.line
from contacts c
join numbers n on n.number_id = c.number_id
join imports i on i.batch_id = c.batch_id
join json_each($2) as w on w.value = n.e164 -- sqlite
join json_array_elements_text(cast($2 as json)) as w (value) on w.value = n.e164 -- postgres
where c.campaign_id = $1
