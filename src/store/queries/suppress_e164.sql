-- suppress_e164: never called again, whoever asks
insert into numbers (number_id, e164, suppressed_at, suppressed_reason) values ($1, $2, $3, $4)
on conflict (e164) do update
set suppressed_at = coalesce(numbers.suppressed_at, excluded.suppressed_at),
    suppressed_reason = coalesce(numbers.suppressed_reason, excluded.suppressed_reason)
