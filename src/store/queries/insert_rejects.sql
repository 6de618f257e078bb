-- insert_rejects: rows that were not accepted, each with its line and reason
insert into rejects (batch_id, line, bucket, field, reason, raw)
select $1, cast(r.value ->> 0 as bigint), r.value ->> 1, r.value ->> 2, r.value ->> 3, r.value ->> 4
from json_each($2) as r -- sqlite
from jsonb_array_elements(cast($2 as jsonb)) as r (value) -- postgres
