-- ended_outcomes: how the other tries at this run contact ended
select outcome from attempts
where run_contact_id = $1 and attempt_id <> $2 and state = 'ended'
order by try_number
