-- ring_next: the number that the next try at each of these run contacts rings
update run_contacts
set number_id = cast(p.value ->> 1 as bigint)
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
where run_contact_id = cast(p.value ->> 0 as bigint)
