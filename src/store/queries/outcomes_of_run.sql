-- outcomes_of_run: how attempts ended
select outcome, count(*) as attempts from attempts where run_id = $1 and state = 'ended' group by outcome order by outcome
