-- put_deliveries: who is told of new notices, and by which way
insert into deliveries (delivery_id, notice_id, channel, endpoint_id, target, state, due_at)
select cast(value ->> 0 as bigint), cast(value ->> 1 as bigint), value ->> 2, cast(value ->> 3 as bigint), value ->> 4,
       'waiting', cast(value ->> 5 as bigint)
from json_each($1)                                                                                          -- sqlite
from json_array_elements(cast($1 as json)) as rows(value)                                                 -- postgres
where true
on conflict (notice_id, channel, target) do nothing
