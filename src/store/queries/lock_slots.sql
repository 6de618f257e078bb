-- lock_slots: the account's last slot, held against every other planner
select last_slot_us from account_slots
where account_id = $1
for update -- postgres
