-- transitions_of_run: its history, in order
select state, at, actor, by_name, reason from run_transitions where run_id = $1 order by seq
