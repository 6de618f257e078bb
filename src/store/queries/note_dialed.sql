-- note_dialed: when the calls of attempts began, before they live; or that there was none, once they do no more
update attempts set dialed_at = cast(p.value ->> 1 as bigint)
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
where attempt_id = cast(p.value ->> 0 as bigint)
