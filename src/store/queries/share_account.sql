-- share_account: the account, held against a pause and against other limits
select account_id from accounts
where account_id = $1
for share -- postgres
