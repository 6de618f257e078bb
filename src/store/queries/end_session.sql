-- end_session: its call is over, so what was waited for is due now
update sessions set ask_at = $2, waited_ms = 0 where session_id = $1 and ask_at is not null
