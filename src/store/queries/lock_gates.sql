-- lock_gates: account and run against a pause, before the number
select 1 from runs r join accounts acc on acc.account_id = r.account_id -- postgres
where r.run_id = (select run_id from attempts where attempt_id = $1) -- postgres
for share of acc, r -- postgres
select 1 where $1 is not null -- sqlite
