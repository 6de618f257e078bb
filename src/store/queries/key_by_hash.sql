-- key_by_hash: whose key has this hash
select key_id, name, role, created_at, created_by, expires_at, revoked_at, used_at from keys where key_hash = $1
