-- prove_unclear: attempts of which something is not known, with what is
select a.attempt_id, a.state, a.outcome, a.claimed_at, a.dialed_at, a.session_id, h.calls,
       (select count(*) from events e where e.attempt_id = a.attempt_id) as events
from attempts a
join runs r on r.run_id = a.run_id
left join history h on h.session_id = a.session_id
where r.campaign_id = $1 and (a.state in ('dialing', 'live') or a.outcome in ('lost', 'scenario_error'))
order by a.attempt_id
limit $2
