-- apply_run: how many starts and calls in a row went wrong
update runs
set ungranted = cast(p.value ->> 1 as bigint),
    not_dialled = cast(p.value ->> 2 as bigint),
    prohibited = cast(p.value ->> 3 as bigint)
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
where run_id = cast(p.value ->> 0 as bigint)
