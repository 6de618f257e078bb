-- put_records: the recordings that a history names
insert into records (session_id, ordinal, url, duration_s)
select cast(p.value ->> 0 as bigint), cast(p.value ->> 1 as bigint), p.value ->> 2, cast(p.value ->> 3 as bigint)
from json_each($1) as p where true -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
on conflict (session_id, ordinal) do update set url = excluded.url, duration_s = excluded.duration_s
