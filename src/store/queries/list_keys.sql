-- list_keys: every key there was, the newest first
select key_id, name, role, created_at, created_by, expires_at, revoked_at, used_at from keys order by key_id desc
