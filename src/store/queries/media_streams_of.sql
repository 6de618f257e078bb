-- media_streams_of: the streams of audio of these attempts, in their order
select m.attempt_id, m.opened_at, m.lasted_ms, m.model, m.encoding, m.ended_by, m.reason, m.tally, m.tools, m.cost_micros
from media_streams m
join json_each($1) as wanted on wanted.value = m.attempt_id -- sqlite
join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = m.attempt_id -- postgres
order by m.attempt_id, m.opened_at
