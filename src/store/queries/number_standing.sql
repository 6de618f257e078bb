-- number_standing: what stands against calling a number now
select n.suppressed_at, n.suppressed_reason, n.suppressed_by, n.allow_listed_at is not null as allow_listed,
       (select max(a.held_until) from attempts a where a.number_id = n.number_id and a.state = 'live') as held_until
from numbers n
where n.e164 = $1
