-- end_hold: the run goes on without one
delete from run_holds where run_id = $1
