-- set_run_slot: the last slot given in this run
insert into run_slots (run_id, last_slot_us) values ($1, $2)
on conflict (run_id) do update set last_slot_us = excluded.last_slot_us
