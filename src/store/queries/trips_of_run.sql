-- trips_of_run: every breaker of a run that tripped, as it did last
select t.name, t.arm, t.tripped_at, t.value, t.threshold
from breaker_trips t
where t.run_id = $1
  and t.tripped_at = (select max(o.tripped_at) from breaker_trips o
                      where o.run_id = t.run_id and o.name = t.name and o.arm = t.arm)
order by t.tripped_at, t.name, t.arm
