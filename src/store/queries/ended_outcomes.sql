-- ended_outcomes: how tries at these run contacts ended, in the order of the tries
select a.run_contact_id, a.attempt_id, a.outcome
from attempts a
join json_each($1) as wanted on wanted.value = a.run_contact_id -- sqlite
join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = a.run_contact_id -- postgres
where a.state = 'ended'
order by a.run_contact_id, a.try_number
