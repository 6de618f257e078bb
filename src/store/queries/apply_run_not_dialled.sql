-- apply_run_not_dialled: how many granted sessions in a row gave their grant back
update runs set not_dialled = $2 where run_id = $1
