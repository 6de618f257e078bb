-- tokens_of_attempt: every token it ever had: a late event of an earlier session is known, not a forgery
select token_hash from starts where attempt_id = $1
