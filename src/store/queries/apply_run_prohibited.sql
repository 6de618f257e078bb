-- apply_run_prohibited: how many calls in a row the provider prohibited
update runs set prohibited = $2 where run_id = $1
