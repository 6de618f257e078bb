-- put_judgements: what a judge found, unless the same rubric has judged the attempt meanwhile
insert into judgements (attempt_id, rubric, judge, model, goal, why, judged_at, tokens_in, tokens_out, cost_micros)
select cast(j.value ->> 0 as bigint), j.value ->> 1, j.value ->> 2, j.value ->> 3, cast(j.value ->> 4 as bigint),
       j.value ->> 5, cast(j.value ->> 6 as bigint), cast(j.value ->> 7 as bigint), cast(j.value ->> 8 as bigint),
       cast(j.value ->> 9 as bigint)
from json_each($1) as j where true -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as j (value) -- postgres
on conflict (attempt_id, rubric) do nothing
returning attempt_id
