-- insert_endpoint: a program that wants to be told
insert into endpoints (endpoint_id, url, secret, kinds, note, created_at) values ($1, $2, $3, $4, $5, $6)
