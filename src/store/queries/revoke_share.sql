-- revoke_share: the link shows nothing from now on; the first revocation stands
update shared_reports set revoked_at = coalesce(revoked_at, $2) where share_id = $1
