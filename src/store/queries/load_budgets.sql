-- load_budgets: the budgets that the attempts' runs draw on, held against every other grant; days from $2 on
select distinct b.owner_id, b.day_at, b.spent_micros, b.reserved_micros -- sqlite
select b.owner_id, b.day_at, b.spent_micros, b.reserved_micros -- postgres
from attempts a
join json_each($1) as wanted on wanted.value = a.attempt_id -- sqlite
join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = a.attempt_id -- postgres
join runs r on r.run_id = a.run_id
join budgets b on b.owner_id in (r.run_id, r.campaign_id) and (b.day_at = 0 or b.day_at >= $2)
order by b.owner_id, b.day_at
for update of b -- postgres
