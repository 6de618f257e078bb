-- close_run: it took what it was asked to take; no later list joins it
update runs set joinable = 0 where run_id = $1
