-- lift_suppression: may be called again
update numbers
set suppressed_at = null, suppressed_reason = null, suppressed_by = null
where e164 = $1
