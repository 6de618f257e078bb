-- put_contact_counts: adds what changed, in the order of the key, so that nodes meet in one order. Who was taken is
-- counted by count_taken.
insert into contact_counts (run_id, mode, dialled, reached, goals, clean, clean_goals)
select cast(p.value ->> 0 as bigint), p.value ->> 1, cast(p.value ->> 2 as bigint), cast(p.value ->> 3 as bigint),
       cast(p.value ->> 4 as bigint), cast(p.value ->> 5 as bigint), cast(p.value ->> 6 as bigint)
from json_each($1) as p where true -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
on conflict (run_id, mode) do update
set dialled = contact_counts.dialled + excluded.dialled, reached = contact_counts.reached + excluded.reached,
    goals = contact_counts.goals + excluded.goals, clean = contact_counts.clean + excluded.clean,
    clean_goals = contact_counts.clean_goals + excluded.clean_goals
