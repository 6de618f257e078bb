-- set_brake: how fast starts may leave since the provider complained
update accounts
set brake_cps = $2, brake_top = $3, brake_every_ms = $4, brake_stepped_at = $5, brake_since_at = $6, brake_reason = $7
where account_id = $1
