-- change_endpoint: what the endpoint $1 is told, and whether it is
update endpoints set url = $2, kinds = $3, note = $4, disabled_at = $5, disabled_reason = $6, secret = $7 where endpoint_id = $1
