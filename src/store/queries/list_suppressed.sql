-- list_suppressed: a page of the suppression list, the newest first
select number_id, e164, suppressed_at, suppressed_reason, suppressed_by
from numbers
where suppressed_at is not null and erased_at is null
  and (suppressed_at < $1 or (suppressed_at = $1 and number_id < $2))
  and ($3 is null or e164 like $3 escape '~' or lower(suppressed_reason) like $3 escape '~') -- sqlite
  and (cast($3 as text) is null or e164 like $3 escape '~' or lower(suppressed_reason) like $3 escape '~') -- postgres
order by suppressed_at desc, number_id desc
limit $4
