-- apply_run: a running run stops dialling, with a reason; how many starts and calls in a row went wrong
update runs
set state = case when (p.value ->> 1) is not null and state = 'running' then 'paused' else state end,
    state_reason = case when (p.value ->> 1) is not null and state = 'running' then p.value ->> 1
                        else state_reason end,
    changed_at = case when (p.value ->> 1) is not null and state = 'running' then cast(p.value ->> 2 as bigint)
                      else changed_at end,
    ungranted = coalesce(cast(p.value ->> 3 as bigint), ungranted),
    not_dialled = coalesce(cast(p.value ->> 4 as bigint), not_dialled),
    prohibited = coalesce(cast(p.value ->> 5 as bigint), prohibited)
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
where run_id = cast(p.value ->> 0 as bigint)
