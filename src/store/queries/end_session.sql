-- end_session: their calls are over, so what was waited for is due now
update sessions set ask_at = cast(p.value ->> 1 as bigint), waited_ms = 0
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
where session_id = cast(p.value ->> 0 as bigint) and ask_at is not null
