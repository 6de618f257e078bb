-- list_endpoints: programs that are told, the oldest first
select endpoint_id, url, secret, kinds, note, created_at, disabled_at, disabled_reason from endpoints order by endpoint_id
