-- leased_contacts: what the planner must know of the contacts it leased; run_contacts.number_id is the number to ring
select rc.run_contact_id, rc.contact_id, rc.number_id, rc.mode, n.e164, c.timezone, n.suppressed_at, n.allow_listed_at,
       c.not_before_at, c.not_after_at,
       (c.consent_kind is not null and c.consent_at is not null and c.consent_source is not null) as consented,
       (select a.attempt_id from attempts a
        where a.run_contact_id = rc.run_contact_id and a.state = 'planned') as planned,
       (select count(*) from attempts a where a.run_contact_id = rc.run_contact_id) as tries_made,
       (select a.caller_id from attempts a
        where a.run_contact_id = rc.run_contact_id and a.caller_id is not null
        order by a.try_number limit 1) as caller_id,
       (select count(*) from contact_numbers x where x.contact_id = rc.contact_id) as alternates
from run_contacts rc
join contacts c on c.contact_id = rc.contact_id
join numbers n on n.number_id = rc.number_id
join json_each($1) as wanted on wanted.value = rc.run_contact_id -- sqlite
join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = rc.run_contact_id -- postgres
order by case $2 when 'first' then 1 - rc.tried when 'last' then rc.tried else 0 end, rc.due_at, rc.dial_order
