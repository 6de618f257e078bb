-- insert_start: starts about to be sent
insert into starts (token_hash, attempt_id, claimed_at)
select p.value ->> 0, cast(p.value ->> 1 as bigint), cast(p.value ->> 2 as bigint)
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
