-- share_accounts: the accounts of these attempts, held against a pause; before their runs
select account_id from accounts
where account_id in (
    select r.account_id
    from attempts a
    join runs r on r.run_id = a.run_id
    join json_each($1) as wanted on wanted.value = a.attempt_id -- sqlite
    join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = a.attempt_id -- postgres
)
order by account_id
for share -- postgres
