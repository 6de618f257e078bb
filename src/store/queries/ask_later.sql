-- ask_later: when sessions are asked about again, and how long that is; never, where no instant is named
update sessions
set ask_at = cast(p.value ->> 1 as bigint), waited_ms = cast(p.value ->> 2 as bigint)
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
where session_id = cast(p.value ->> 0 as bigint) and ask_at is not null
