-- settled_replies: what a settled call counts for its replies, and what they cost
select v.run_id, r.campaign_id, v.replied_micros,
       cast((select coalesce(sum(d.cost_micros), 0) from dialogue_turns d where d.attempt_id = v.attempt_id) as bigint)
           as cost_micros
from reservations v
join runs r on r.run_id = v.run_id
where v.attempt_id = $1 and v.reserved_micros = 0
