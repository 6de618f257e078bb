-- claimed_deliveries: what these deliveries tell, and to whom
select d.delivery_id, d.notice_id, d.channel, d.target, d.tries, n.kind, n.happened_at, n.title, n.body, n.data, e.url,
       e.secret, e.disabled_at is null as enabled
from deliveries d
join notices n on n.notice_id = d.notice_id
left join endpoints e on e.endpoint_id = d.endpoint_id
where d.delivery_id in (select cast(value as bigint) from json_each($1)) -- sqlite
where d.delivery_id in (select cast(cast(value as text) as bigint) from json_array_elements(cast($1 as json)) as ids(value)) -- postgres
order by n.happened_at, d.delivery_id
