-- suppress_numbers: whoever asks never to be called again is meant with all their numbers
update numbers
set suppressed_at = $2, suppressed_reason = $3
where suppressed_at is null
  and number_id in (select value from json_each($1)) -- sqlite
  and number_id in (select cast(value as bigint) from json_array_elements_text(cast($1 as json)) as p (value)) -- postgres
