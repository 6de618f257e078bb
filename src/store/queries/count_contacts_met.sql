-- count_contacts_met: every contact that was called in a run, counted anew
insert into contact_counts (run_id, mode, dialled, reached, goals, clean, clean_goals)
select run_id, mode, sum(dialled), sum(reached), sum(goal), sum(clean), sum(clean_goal)
from (select run_id, mode, max(dialled) as dialled, max(reached) as reached, max(goal) as goal,
             max(clean) as clean, max(clean_goal) as clean_goal
      from report_counted group by run_contact_id, run_id, mode) as met
group by run_id, mode
