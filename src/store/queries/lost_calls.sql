-- lost_calls: of an account, ended without evidence, and not so long ago that history has forgotten
select a.attempt_id, a.session_id
from attempts a join runs r on r.run_id = a.run_id
where r.account_id = $1 and a.state = 'ended' and a.outcome = 'lost' and a.corrected_at is null
  and a.session_id is not null and a.ended_at >= $2
order by a.ended_at desc limit $3
