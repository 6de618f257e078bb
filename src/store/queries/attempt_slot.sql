-- attempt_slot: when planned attempts may leave
select a.attempt_id, a.slot_us
from attempts a
join json_each($1) as wanted on wanted.value = a.attempt_id -- sqlite
join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = a.attempt_id -- postgres
where a.state = 'planned'
