-- caller_slots: when each caller id of the account was last given a slot
select e164, last_slot_us from caller_ids where account_id = $1
