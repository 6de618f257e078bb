-- apply_contact: where run contacts stand now
update run_contacts
set due_at = cast(p.value ->> 1 as bigint), gate = p.value ->> 2, disposition = p.value ->> 3,
    rested_at = cast(p.value ->> 4 as bigint), leased_until = 0
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
where run_contact_id = cast(p.value ->> 0 as bigint)
