-- place_contacts: new leases, parks and rests of the contacts just planned
update run_contacts
set leased_until = cast(p.value ->> 1 as bigint),
    due_at = cast(p.value ->> 2 as bigint),
    gate = p.value ->> 3,
    disposition = p.value ->> 4,
    rested_at = cast(p.value ->> 5 as bigint)
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
where run_contact_id = cast(p.value ->> 0 as bigint)
