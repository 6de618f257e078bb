-- answer_start: what the provider said to starts; it moves nothing
update starts
set session_id = cast(p.value ->> 1 as bigint), access_url = p.value ->> 2,
    answered_at = cast(p.value ->> 3 as bigint), result = p.value ->> 4
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
where token_hash = p.value ->> 0
