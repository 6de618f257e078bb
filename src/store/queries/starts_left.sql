-- starts_left: starts of the account that were claimed since then
select count(*)
from starts s
join attempts a on a.attempt_id = s.attempt_id
join runs r on r.run_id = a.run_id
where s.claimed_at > $2 and r.account_id = $1
