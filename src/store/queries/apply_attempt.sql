-- apply_attempt: attempts' new states, whole but for when they were dialled
update attempts
set state = p.value ->> 1,
    claimed_at = case when (p.value ->> 1) = 'planned' then null
                      else coalesce(cast(p.value ->> 2 as bigint), claimed_at) end,
    token_hash = p.value ->> 3, session_id = cast(p.value ->> 4 as bigint), held_until = cast(p.value ->> 5 as bigint),
    ended_at = cast(p.value ->> 6 as bigint), outcome = p.value ->> 7, evidence = p.value ->> 8,
    corrected_at = coalesce(cast(p.value ->> 9 as bigint), corrected_at),
    ungranted = cast(p.value ->> 10 as bigint), told = p.value ->> 11
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
where attempt_id = cast(p.value ->> 0 as bigint)
