-- set_caller_slots: the last slots given to these caller ids, and what the rotation owes them
insert into caller_ids (account_id, e164, last_slot_us, balance)
select $1, p.value ->> 0, cast(p.value ->> 1 as bigint), cast(p.value ->> 2 as bigint)
from json_each($2) as p -- sqlite
from jsonb_array_elements(cast($2 as jsonb)) as p (value) -- postgres
where true
on conflict (account_id, e164) do update set last_slot_us = excluded.last_slot_us, balance = excluded.balance
