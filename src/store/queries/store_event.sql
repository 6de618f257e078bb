-- store_event: an event, once
insert into events (attempt_id, session_id, seq, event, at_ms, received_at, body)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (attempt_id, session_id, seq) do nothing
