-- apply_contact: where run contacts stand now; what waits for another try has been tried
update run_contacts
set due_at = cast(p.value ->> 1 as bigint), gate = p.value ->> 2, disposition = p.value ->> 3,
    rested_at = cast(p.value ->> 4 as bigint), leased_until = 0,
    tried = case when cast(p.value ->> 5 as bigint) = 1 then 1 else tried end
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
where run_contact_id = cast(p.value ->> 0 as bigint)
