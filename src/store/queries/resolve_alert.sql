-- resolve_alert: it is over
update alerts set resolved_at = $2 where alert_id = $1 and resolved_at is null
