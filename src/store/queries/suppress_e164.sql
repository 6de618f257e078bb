-- suppress_e164: never called again, whoever asks; the callee's own word replaces an operator's
insert into numbers (number_id, e164, suppressed_at, suppressed_reason, suppressed_by)
select cast(n.value ->> 0 as bigint), n.value ->> 1, cast(n.value ->> 2 as bigint), n.value ->> 3, n.value ->> 4
from json_each($1) as n where true -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as n (value) -- postgres
on conflict (e164) do update
set suppressed_at = coalesce(numbers.suppressed_at, excluded.suppressed_at),
    suppressed_reason = excluded.suppressed_reason,
    suppressed_by = excluded.suppressed_by
where numbers.suppressed_at is null
   or (excluded.suppressed_by = 'callee' and coalesce(numbers.suppressed_by, '') <> 'callee')
returning e164
