-- account_pace: limits, brake and pause of the account, and the lines that its calls hold
select acc.account_id, acc.platform, acc.cps_max, acc.lines_max, acc.paused_at, acc.pause_reason, acc.last_slot_us,
       acc.brake_cps, acc.brake_top, acc.brake_every_ms, acc.brake_stepped_at, acc.brake_since_at, acc.brake_reason
from accounts acc
where acc.account_id = $1
