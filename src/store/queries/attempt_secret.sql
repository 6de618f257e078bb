-- attempt_secret: what an event token is checked against
select token_hash from attempts where attempt_id = $1
