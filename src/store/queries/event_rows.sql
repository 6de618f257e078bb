-- event_rows: what sessions reported of one attempt, in the order it came
select session_id, seq, event, at_ms, received_at, body from events where attempt_id = $1 order by received_at, seq
