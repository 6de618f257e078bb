-- erase_numbers: digits that lead nowhere in the place of numbers, which nobody calls again
update numbers
set e164 = w.value ->> 1, erased_at = cast(w.value ->> 2 as bigint),
    suppressed_at = coalesce(numbers.suppressed_at, cast(w.value ->> 2 as bigint)), suppressed_reason = 'erased',
    suppressed_by = coalesce(numbers.suppressed_by, 'operator'), allow_listed_at = null
from json_each($1) as w -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as w (value) -- postgres
where numbers.number_id = cast(w.value ->> 0 as bigint)
