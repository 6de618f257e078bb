-- suppress_number: never called again: the callee's own word
update numbers
set suppressed_at = coalesce(suppressed_at, $2), suppressed_reason = $3, suppressed_by = 'callee'
where number_id = $1 and (suppressed_at is null or coalesce(suppressed_by, '') <> 'callee')
