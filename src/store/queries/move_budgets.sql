-- move_budgets: what was spent and reserved, by how much it changes
update budgets
set spent_micros = spent_micros + cast(p.value ->> 2 as bigint),
    reserved_micros = reserved_micros + cast(p.value ->> 3 as bigint)
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
where owner_id = cast(p.value ->> 0 as bigint) and day_at = cast(p.value ->> 1 as bigint)
