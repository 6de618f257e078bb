-- lock_account: the account, held against every other planner
select account_id, platform, cps_max, lines_max, paused_at, pause_reason, last_slot_us,
       brake_cps, brake_top, brake_every_ms, brake_stepped_at, brake_since_at, brake_reason
from accounts
where account_id = $1
for update -- postgres
