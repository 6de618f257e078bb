-- insert_contacts: accepted rows of an import
insert into contacts (contact_id, campaign_id, batch_id, number_id, line, mode, own_mode, dial_order, name, timezone,
                      external_id, variables, raw_phone, consent_kind, consent_at, consent_source,
                      not_before_at, not_after_at, priority, phone_kind)
select cast(c.value ->> 0 as bigint), $1, $2, n.number_id, cast(c.value ->> 2 as bigint), c.value ->> 3,
       cast(c.value ->> 4 as bigint), cast(c.value ->> 5 as bigint), c.value ->> 6, c.value ->> 7, c.value ->> 8,
       c.value ->> 9, c.value ->> 10, c.value ->> 11, cast(c.value ->> 12 as bigint), c.value ->> 13,
       cast(c.value ->> 14 as bigint), cast(c.value ->> 15 as bigint), cast(c.value ->> 16 as bigint), c.value ->> 17
from json_each($3) as c -- sqlite
from jsonb_array_elements(cast($3 as jsonb)) as c (value) -- postgres
join numbers n on n.e164 = c.value ->> 1
