-- put_history: what the provider knows of a session
insert into history (session_id, attempt_id, calls, body, fetched_at) values ($1, $2, $3, $4, $5)
on conflict (session_id) do update
set calls = excluded.calls, body = excluded.body, fetched_at = excluded.fetched_at
