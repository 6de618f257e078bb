-- set_caller_slot: the last slot given to this caller id
insert into caller_ids (account_id, e164, last_slot_us) values ($1, $2, $3)
on conflict (account_id, e164) do update set last_slot_us = excluded.last_slot_us
