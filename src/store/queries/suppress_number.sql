-- suppress_number: never called again: the callee's own word
update numbers
set suppressed_at = coalesce(suppressed_at, cast(p.value ->> 1 as bigint)), suppressed_reason = p.value ->> 2,
    suppressed_by = 'callee'
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
where number_id = cast(p.value ->> 0 as bigint)
  and (suppressed_at is null or coalesce(suppressed_by, '') <> 'callee')
