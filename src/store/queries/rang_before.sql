-- rang_before: calls granted for these numbers since an instant, the attempt that asks apart
select cast(w.value ->> 0 as bigint) as key, a.dialed_at, a.ended_at, a.outcome
from json_each($1) as w -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as w (value) -- postgres
join attempts a on a.number_id = cast(w.value ->> 1 as bigint) and a.dialed_at >= cast(w.value ->> 2 as bigint)
               and a.attempt_id <> cast(w.value ->> 0 as bigint)
order by a.dialed_at, a.attempt_id
