-- key_by_id: the key of this id
select key_id, name, role, created_at, created_by, expires_at, revoked_at, used_at from keys where key_id = $1
