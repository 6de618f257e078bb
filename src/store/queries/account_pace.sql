-- account_pace: limits, brake, pause and last slot of the account
select a.account_id, a.platform, a.cps_max, a.lines_max, a.paused_at, a.pause_reason,
       cast(coalesce(s.last_slot_us, 0) as bigint) as last_slot_us,
       a.brake_cps, a.brake_top, a.brake_every_ms, a.brake_stepped_at, a.brake_since_at, a.brake_reason
from accounts a
left join account_slots s on s.account_id = a.account_id
where a.account_id = $1
