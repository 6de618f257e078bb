-- cancel_open_attempts: nobody was rung for these
update attempts set state = 'ended', ended_at = $2, outcome = 'cancelled', evidence = 'us'
where run_id = $1 and state in ('planned', 'dialing')
