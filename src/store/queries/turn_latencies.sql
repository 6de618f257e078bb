-- turn_latencies: how long each reply of these attempts took, in the order of the turns
select t.attempt_id, t.turn_ms, t.method
from turns t
join json_each($1) as wanted on wanted.value = t.attempt_id -- sqlite
join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = t.attempt_id -- postgres
order by t.attempt_id, t.turn
