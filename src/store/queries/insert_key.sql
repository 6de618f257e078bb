-- insert_key: a key of the API, by its hash
insert into keys (key_id, name, role, key_hash, created_at, created_by, expires_at)
values ($1, $2, $3, $4, $5, $6, $7)
