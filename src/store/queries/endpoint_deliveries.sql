-- endpoint_deliveries: deliveries to the endpoint $1 before $2, the newest first
select d.delivery_id, d.notice_id, n.kind, n.happened_at, d.state, d.tries, d.due_at, d.ended_at
from deliveries d join notices n on n.notice_id = d.notice_id
where d.endpoint_id = $1 and d.delivery_id < $2
order by d.delivery_id desc
limit $3
