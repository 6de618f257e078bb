-- keep_gates: why contacts rest that could not be called for want of something
update run_contacts
set gate = p.value ->> 1
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
where run_contact_id = cast(p.value ->> 0 as bigint) and disposition is not null
