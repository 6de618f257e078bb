-- consents_of: of these contacts those whose consent is on record
select c.contact_id
from json_each($1) as w -- sqlite
from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
join contacts c on c.contact_id = cast(w.value as bigint)
where c.consent_kind is not null and c.consent_at is not null and c.consent_source is not null
