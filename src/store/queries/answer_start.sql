-- answer_start: what the provider said to a start; it moves nothing
update starts set session_id = $2, access_url = $3, answered_at = $4, result = $5 where token_hash = $1
