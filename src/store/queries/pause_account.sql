-- pause_account: every run of it stops dialling, or dials again
update accounts set paused_at = $2, pause_reason = $3 where account_id = $1
