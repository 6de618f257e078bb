-- put_erased: what is kept of erased numbers: a hash, and whether the person opted out
insert into erased_numbers (number_id, number_hash, erased_at, opted_out_by)
select n.number_id, w.value ->> 1, cast(w.value ->> 2 as bigint),
       case when n.suppressed_at is not null then coalesce(n.suppressed_by, 'operator') end
from json_each($1) as w -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as w (value) -- postgres
join numbers n on n.number_id = cast(w.value ->> 0 as bigint)
where true
on conflict (number_id) do nothing
