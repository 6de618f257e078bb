-- set_run_slot: the last slot given in this run
update runs set last_slot_us = $2 where run_id = $1
