-- put_hold: the run pauses itself after so many more contacts
insert into run_holds (run_id, hold_after, dialled, since_at) values ($1, $2, 0, $3)
on conflict (run_id) do update set hold_after = excluded.hold_after, dialled = 0, since_at = excluded.since_at
