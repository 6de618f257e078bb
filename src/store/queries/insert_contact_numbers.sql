-- insert_contact_numbers: further numbers of accepted rows
insert into contact_numbers (contact_id, ordinal, number_id, raw_phone)
select cast(c.value ->> 0 as bigint), cast(c.value ->> 1 as bigint), n.number_id, c.value ->> 3
from json_each($1) as c -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as c (value) -- postgres
join numbers n on n.e164 = c.value ->> 2
