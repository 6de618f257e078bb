-- set_account_slot: the last slot given at this account
update accounts set last_slot_us = $2 where account_id = $1
