-- ensure_slots: where planners of this platform's account take turns
insert into account_slots (account_id) select account_id from accounts where platform = $1
on conflict (account_id) do nothing
