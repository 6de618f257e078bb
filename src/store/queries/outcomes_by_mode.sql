-- outcomes_by_mode: how attempts of run $1 ended, mode by mode
select mode, outcome, count(*) as attempts
from attempts where run_id = $1 and state = 'ended'
group by mode, outcome order by mode, outcome
