-- revoke_key: opens nothing from now on; the first revocation stands
update keys set revoked_at = coalesce(revoked_at, $2) where key_id = $1
