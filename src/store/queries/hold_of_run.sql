-- hold_of_run: after how many contacts it pauses itself, and how many it has dialled since when
select hold_after, dialled, since_at from run_holds where run_id = $1
