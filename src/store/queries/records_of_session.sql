-- records_of_session: its recordings, in their order
select url, duration_s from records where session_id = $1 order by ordinal
