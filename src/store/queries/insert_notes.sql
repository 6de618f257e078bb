-- insert_notes: cells of accepted rows that could not be used
insert into import_notes (batch_id, line, field, reason, raw)
select $1, cast(r.value ->> 0 as bigint), r.value ->> 1, r.value ->> 2, r.value ->> 3
from json_each($2) as r where true -- sqlite
from jsonb_array_elements(cast($2 as jsonb)) as r (value) -- postgres
on conflict (batch_id, line, field) do nothing
