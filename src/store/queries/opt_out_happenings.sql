-- opt_out_happenings: callees who asked since $1 never to be called again, of which nobody was told
select number_id, e164, suppressed_at, suppressed_reason
from numbers
where suppressed_at is not null and suppressed_at >= $1 and suppressed_by = 'callee'
  and not exists (select 1 from notices k
                  where k.source = 'optout:' || cast(number_id as text) || ':' || cast(suppressed_at as text))
order by suppressed_at, number_id
limit $2
