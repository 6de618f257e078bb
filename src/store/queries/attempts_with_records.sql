-- attempts_with_records: ended before then, with recordings that are left
select distinct h.attempt_id
from records r
join history h on h.session_id = r.session_id
join attempts a on a.attempt_id = h.attempt_id
where a.state = 'ended' and a.ended_at < $1
limit $2
