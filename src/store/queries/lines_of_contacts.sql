-- lines_of_contacts: every number of these run contacts, the first one first, with each ended try at it in the run; two
-- lookups by key, because a union that is joined afterwards is read whole
select rc.run_contact_id, c.number_id, n.suppressed_at, a.attempt_id, a.outcome, 1 as ordinal, a.try_number
from json_each($1) as wanted -- sqlite
join run_contacts rc on rc.run_contact_id = wanted.value -- sqlite
from json_array_elements_text(cast($1 as json)) as wanted (value) -- postgres
join run_contacts rc on rc.run_contact_id = cast(wanted.value as bigint) -- postgres
join contacts c on c.contact_id = rc.contact_id
join numbers n on n.number_id = c.number_id
left join attempts a on a.run_contact_id = rc.run_contact_id and a.number_id = c.number_id and a.state = 'ended'
union all
select rc.run_contact_id, x.number_id, n.suppressed_at, a.attempt_id, a.outcome, x.ordinal, a.try_number
from json_each($1) as wanted -- sqlite
join run_contacts rc on rc.run_contact_id = wanted.value -- sqlite
from json_array_elements_text(cast($1 as json)) as wanted (value) -- postgres
join run_contacts rc on rc.run_contact_id = cast(wanted.value as bigint) -- postgres
join contact_numbers x on x.contact_id = rc.contact_id
join numbers n on n.number_id = x.number_id
left join attempts a on a.run_contact_id = rc.run_contact_id and a.number_id = x.number_id and a.state = 'ended'
order by 1, 6, 7
