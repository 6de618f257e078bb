-- insert_account_transition: the account was paused or resumed, by whom and why
insert into account_transitions (account_id, seq, state, at, actor, by_name, reason)
select a.account_id,
       coalesce((select max(t.seq) from account_transitions t where t.account_id = a.account_id), 0) + 1,
       $2, $3, $4, $5, $6
from accounts a where a.account_id = $1
