-- insert_numbers: one row per E.164; those known keep theirs
insert into numbers (number_id, e164)
select cast(n.value ->> 0 as bigint), n.value ->> 1
from json_each($1) as n where true -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as n (value) -- postgres
on conflict (e164) do nothing
