-- live_calls_of_account: calls under way, and runs that are not over
select (select count(*) from attempts a join runs r on r.run_id = a.run_id
        where r.account_id = $1 and a.state = 'live') as live,
       (select count(*) from runs r where r.account_id = $1 and r.state in ('running', 'paused')) as runs
