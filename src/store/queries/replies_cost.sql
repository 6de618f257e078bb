-- replies_cost: what the replies of these attempts cost so far
select d.attempt_id, cast(sum(d.cost_micros) as bigint) as cost_micros
from dialogue_turns d
join json_each($1) as wanted on wanted.value = d.attempt_id -- sqlite
join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = d.attempt_id -- postgres
where d.cost_micros is not null
group by d.attempt_id
