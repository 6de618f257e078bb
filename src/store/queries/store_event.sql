-- store_event: events, each once; those that were new are returned
insert into events (attempt_id, session_id, seq, event, at_ms, received_at, body)
select cast(p.value ->> 0 as bigint), cast(p.value ->> 1 as bigint), cast(p.value ->> 2 as bigint), p.value ->> 3,
       cast(p.value ->> 4 as bigint), cast(p.value ->> 5 as bigint), p.value ->> 6
from json_each($1) as p where true -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
on conflict (attempt_id, session_id, seq) do nothing
returning attempt_id, session_id, seq -- postgres
