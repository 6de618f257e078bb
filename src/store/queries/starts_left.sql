-- starts_left: starts of the account that were claimed since then and whose slot has come: claims are made ahead
select count(*)
from starts s
join attempts a on a.attempt_id = s.attempt_id
join runs r on r.run_id = a.run_id
where s.claimed_at > $2 and a.slot_us <= $3 and r.account_id = $1
