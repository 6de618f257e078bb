-- further_as_typed: the further numbers of these contacts as their lists had them
select x.contact_id, x.ordinal, x.raw_phone
from contact_numbers x
join json_each($1) as wanted on wanted.value = x.contact_id -- sqlite
join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = x.contact_id -- postgres
