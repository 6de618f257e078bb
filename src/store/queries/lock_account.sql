-- lock_account: the account, held against every decision at it
select account_id from accounts
where account_id = $1
for update -- postgres
