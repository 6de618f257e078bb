-- count_holds: contacts dialled for the first time, or given back
update run_holds
set dialled = case when dialled + cast(p.value ->> 1 as bigint) < 0 then 0
                   else dialled + cast(p.value ->> 1 as bigint) end
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
where run_id = cast(p.value ->> 0 as bigint)
