-- silent_calls: of an account, live for longer than a call can last
select a.attempt_id, a.session_id
from attempts a join runs r on r.run_id = a.run_id
where r.account_id = $1 and a.state = 'live' and a.held_until <= $2
order by a.held_until limit $3
