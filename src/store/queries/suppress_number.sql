-- suppress_number: never called again
update numbers
set suppressed_at = $2, suppressed_reason = $3
where number_id = $1 and suppressed_at is null
