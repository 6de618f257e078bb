-- put_notices: what is worth telling; what was told before stays as it is. Returns those that are new
insert into notices (notice_id, source, kind, happened_at, title, body, data)
select cast(value ->> 0 as bigint), value ->> 1, value ->> 2, cast(value ->> 3 as bigint), value ->> 4, value ->> 5, value ->> 6
from json_each($1)                                                                                          -- sqlite
from json_array_elements(cast($1 as json)) as rows(value)                                                 -- postgres
where true
on conflict (source) do nothing
returning notice_id
