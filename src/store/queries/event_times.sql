-- event_times: when these attempts were planned, and the first of each kind of their events
select a.attempt_id, a.planned_at, e.event, min(e.at_ms) as at_ms, min(e.received_at) as heard_at
from attempts a
join json_each($1) as wanted on wanted.value = a.attempt_id -- sqlite
join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = a.attempt_id -- postgres
left join events e on e.attempt_id = a.attempt_id
group by a.attempt_id, a.planned_at, e.event
order by a.attempt_id
