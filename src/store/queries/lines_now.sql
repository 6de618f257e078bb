-- lines_now: lines that the attempts of run $1 hold, and all of its account: planned under a lease, dialing, live until
-- held_until
select cast(coalesce(sum(case when run_id = $1 then 1 else 0 end), 0) as bigint) as of_run, count(*) as of_account
from (select a.run_id from attempts a join runs r on r.run_id = a.run_id
      where r.account_id = $2 and (a.state = 'dialing' or (a.state = 'live' and a.held_until > $3))
      union all
      select a.run_id from attempts a
      join runs r on r.run_id = a.run_id
      join run_contacts c on c.run_contact_id = a.run_contact_id
      where r.account_id = $2 and r.state = 'running' and a.state = 'planned' and c.leased_until > $3) as held
