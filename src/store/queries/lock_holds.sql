-- lock_holds: what is left of the holds of runs, held against every other grant of theirs
select h.run_id, h.hold_after - h.dialled as contacts_left, h.since_at
from run_holds h
where h.run_id in (select cast(w.value as bigint) from json_each($1) as w) -- sqlite
where h.run_id in (select cast(w.value as bigint) from json_array_elements_text(cast($1 as json)) as w (value)) -- postgres
order by h.run_id
for update -- postgres
