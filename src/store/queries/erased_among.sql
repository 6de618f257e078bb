-- erased_among: erased numbers by their hashes: did they opt out, and has the campaign had them
select e.number_hash, max(case when e.opted_out_by is not null then 1 else 0 end) = 1,
       max(case when exists (select 1 from contacts c where c.number_id = e.number_id and c.campaign_id = $2)
           then 1 else 0 end) = 1
from erased_numbers e
join json_each($1) as w on w.value = e.number_hash -- sqlite
join json_array_elements_text(cast($1 as json)) as w (value) on w.value = e.number_hash -- postgres
group by e.number_hash
