-- budgets_of_run: what a run and its campaign's day have spent and reserved, and how many calls of the run hold some
select b.day_at, b.spent_micros, b.reserved_micros,
       (select count(*) from reservations v where v.run_id = $1 and v.reserved_micros > 0) as calls
from budgets b
where (b.owner_id = $1 and b.day_at = 0) or (b.owner_id = $2 and b.day_at = $3)
