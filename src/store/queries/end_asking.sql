-- end_asking: sessions whose history is known
update sessions
set ask_at = null
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
where session_id = cast(p.value ->> 0 as bigint)
