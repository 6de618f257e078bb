-- lines_of_contacts: every number of these run contacts, the first one first, with each ended try at it in the run
select rc.run_contact_id, l.number_id, n.suppressed_at, a.attempt_id, a.outcome
from json_each($1) as wanted -- sqlite
join run_contacts rc on rc.run_contact_id = wanted.value -- sqlite
from json_array_elements_text(cast($1 as json)) as wanted (value) -- postgres
join run_contacts rc on rc.run_contact_id = cast(wanted.value as bigint) -- postgres
join (select c.contact_id, 1 as ordinal, c.number_id from contacts c
      union all
      select x.contact_id, x.ordinal, x.number_id from contact_numbers x) as l on l.contact_id = rc.contact_id
join numbers n on n.number_id = l.number_id
left join attempts a on a.run_contact_id = rc.run_contact_id and a.number_id = l.number_id and a.state = 'ended'
order by rc.run_contact_id, l.ordinal, a.try_number
