-- apply_attempt: attempts' new states, whole
update attempts
set state = p.value ->> 1,
    claimed_at = case when (p.value ->> 1) = 'planned' then null
                      else coalesce(cast(p.value ->> 2 as bigint), claimed_at) end,
    token_hash = p.value ->> 3, dialed_at = cast(p.value ->> 4 as bigint),
    session_id = cast(p.value ->> 5 as bigint), held_until = cast(p.value ->> 6 as bigint),
    ended_at = cast(p.value ->> 7 as bigint), outcome = p.value ->> 8, evidence = p.value ->> 9,
    corrected_at = coalesce(cast(p.value ->> 10 as bigint), corrected_at),
    ungranted = cast(p.value ->> 11 as bigint), told = p.value ->> 12
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
where attempt_id = cast(p.value ->> 0 as bigint)
