-- live_calls: calls of run $1 under way, the longest first, with the last that each session told
select a.attempt_id, n.e164, c.name, a.mode, a.try_number, a.state, a.claimed_at, a.dialed_at,
       (select e.event from events e where e.attempt_id = a.attempt_id order by e.seq desc limit 1) as event,
       (select count(*) from turns t where t.attempt_id = a.attempt_id) as turns
from attempts a
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join contacts c on c.contact_id = rc.contact_id
join numbers n on n.number_id = a.number_id
where a.run_id = $1 and a.state in ('dialing', 'live')
order by coalesce(a.dialed_at, a.claimed_at), a.attempt_id
limit $2
