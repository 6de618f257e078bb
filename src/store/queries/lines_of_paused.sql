-- lines_of_paused: lines of the account that calls of runs hold which no longer run
select count(*)
from attempts a
join runs r on r.run_id = a.run_id
where r.account_id = $1 and r.state <> 'running'
  and a.state in ('dialing', 'live') and (a.state = 'dialing' or a.held_until > $2)
