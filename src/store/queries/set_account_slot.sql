-- set_account_slot: the last slot given at this account
insert into account_slots (account_id, last_slot_us) values ($1, $2)
on conflict (account_id) do update set last_slot_us = excluded.last_slot_us
