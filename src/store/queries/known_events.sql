-- known_events: those of the events $1 that are stored already
select e.attempt_id, e.session_id, e.seq
from json_each($1) as w -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as w (value) -- postgres
join events e on e.attempt_id = cast(w.value ->> 0 as bigint) and e.session_id = cast(w.value ->> 1 as bigint)
             and e.seq = cast(w.value ->> 2 as bigint)
