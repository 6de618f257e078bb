-- insert_attempts: the attempts of contacts that had none open
insert into attempts (attempt_id, run_contact_id, run_id, number_id, try_number, mode, caller_id, planned_at, state, slot_us)
select cast(p.value ->> 0 as bigint), cast(p.value ->> 1 as bigint), cast(p.value ->> 2 as bigint),
       cast(p.value ->> 3 as bigint), cast(p.value ->> 4 as bigint), p.value ->> 5, p.value ->> 6,
       cast(p.value ->> 7 as bigint), 'planned', cast(p.value ->> 8 as bigint)
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
