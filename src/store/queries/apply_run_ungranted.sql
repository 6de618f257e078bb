-- apply_run_ungranted: how many started sessions in a row never asked for their grant
update runs set ungranted = $2 where run_id = $1
