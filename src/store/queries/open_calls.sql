-- open_calls: calls of a run whose grant is still to come, planned under a lease or dialing: nothing is reserved for them yet
select n.e164, a.mode
from attempts a
join numbers n on n.number_id = a.number_id
where a.run_id = $1 and a.state = 'dialing'
union all
select n.e164, a.mode
from attempts a
join run_contacts c on c.run_contact_id = a.run_contact_id
join numbers n on n.number_id = a.number_id
where a.run_id = $1 and a.state = 'planned' and c.leased_until > $2
