-- attempt_secrets: the current token of attempts, beside each that they ever had: a late event of an earlier session
-- is known, not a forgery; an attempt that has none yet is told of with null
select a.attempt_id, a.token_hash, s.token_hash
from attempts a
left join starts s on s.attempt_id = a.attempt_id
join json_each($1) as wanted on wanted.value = a.attempt_id -- sqlite
join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = a.attempt_id -- postgres
order by a.attempt_id
