-- lock_attempts: these attempts and their run contacts, held until the decisions about them are applied; each contact
-- before its attempt, as a planner that leased it comes to its attempt
select a.attempt_id
from attempts a
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join json_each($1) as wanted on wanted.value = a.attempt_id -- sqlite
join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = a.attempt_id -- postgres
order by a.attempt_id
for update of rc, a -- postgres
