-- transitions_of_account: when it was paused and resumed, the newest first
select state, at, actor, by_name, reason from account_transitions where account_id = $1 order by seq desc limit $2
