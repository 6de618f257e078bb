-- tries_of_deliveries: every try of these deliveries, in order
select delivery_id, try_number, tried_at, status, told, took_ms
from delivery_tries
where delivery_id in (select cast(value as bigint) from json_each($1)) -- sqlite
where delivery_id in (select cast(cast(value as text) as bigint) from json_array_elements(cast($1 as json)) as ids(value)) -- postgres
order by delivery_id, try_number
