-- leased_contacts: what the planner must know of the contacts `ids` of $1 that it leased, in the order `first`;
-- run_contacts.number_id is the number to ring
select rc.run_contact_id, rc.contact_id, rc.number_id, rc.mode, n.e164, c.timezone, n.suppressed_at, n.allow_listed_at,
       c.not_before_at, c.not_after_at,
       cast(case when c.consent_kind is null or c.consent_at is null or c.consent_source is null then 0 else 1 end as bigint)
           as consented,
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
join json_each($1, '$.ids') as wanted on wanted.value = rc.run_contact_id -- sqlite
join json_array_elements_text(cast($1 as json) -> 'ids') as wanted (value) on cast(wanted.value as bigint) = rc.run_contact_id -- postgres
order by case json_extract($1, '$.first') -- sqlite
order by case cast($1 as json) ->> 'first' -- postgres
              when 'first' then 1 - rc.tried when 'last' then rc.tried else 0 end, rc.due_at, rc.dial_order
