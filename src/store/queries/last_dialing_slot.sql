-- last_dialing_slot: the last slot of the account that was claimed and cannot be taken back
select max(a.slot_us)
from attempts a join runs r on r.run_id = a.run_id
where r.account_id = $1 and a.state = 'dialing'
