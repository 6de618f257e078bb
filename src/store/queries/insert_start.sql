-- insert_start: a start about to be sent
insert into starts (token_hash, attempt_id, claimed_at) values ($1, $2, $3)
