-- contact_contributions: what the run contacts $1 add to contact_counts
select run_id, mode, cast(sum(dialled) as bigint) as dialled, cast(sum(reached) as bigint) as reached,
       cast(sum(goal) as bigint) as goals, cast(sum(clean) as bigint) as clean, cast(sum(clean_goal) as bigint) as clean_goals
from (select run_id, mode, max(dialled) as dialled, max(reached) as reached, max(goal) as goal,
             max(clean) as clean, max(clean_goal) as clean_goal
      from report_counted
      where run_contact_id in (select value from json_each($1)) -- sqlite
      where run_contact_id in (select cast(value as bigint) from json_array_elements_text(cast($1 as json))) -- postgres
      group by run_contact_id, run_id, mode) as met
group by run_id, mode
