-- pause_every_account: every account that is not paused yet, for the reason $1
update accounts set paused_at = $2, pause_reason = $1
where paused_at is null
returning account_id
