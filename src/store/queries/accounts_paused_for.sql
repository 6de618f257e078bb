-- accounts_paused_for: the accounts that are paused for exactly the reason $1
select account_id from accounts where paused_at is not null and pause_reason = $1 order by account_id
