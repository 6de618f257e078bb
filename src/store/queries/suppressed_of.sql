-- suppressed_of: of these numbers those on the list already
select n.e164
from json_each($1) as w -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as w (value) -- postgres
join numbers n on n.e164 = w.value ->> 1
where n.suppressed_at is not null
