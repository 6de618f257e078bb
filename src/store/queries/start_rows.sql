-- start_rows: every start of one attempt; how its session is commanded is told to nobody here
select claimed_at, session_id, answered_at, result from starts where attempt_id = $1 order by claimed_at, token_hash
