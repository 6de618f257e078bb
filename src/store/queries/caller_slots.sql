-- caller_slots: when each caller id of the account was last given a slot, and what the rotation owes it
select e164, last_slot_us, balance from caller_ids where account_id = $1
