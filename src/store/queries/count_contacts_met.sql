-- count_contacts_met: every contact of a run by what became of it there, counted anew
insert into contact_counts (run_id, mode, assigned, dialled, reached, goals, clean, clean_goals)
select run_id, mode, sum(assigned), sum(dialled), sum(reached), sum(goal), sum(clean), sum(clean_goal)
from (select rc.run_id, rc.mode, 1 as assigned, 0 as dialled, 0 as reached, 0 as goal, 0 as clean, 0 as clean_goal
      from run_contacts rc
      join runs r on r.run_id = rc.run_id
      join contacts c on c.contact_id = rc.contact_id
      where r.kind = 'campaign' and c.own_mode = 0
      union all
      select run_id, mode, 0, max(dialled), max(reached), max(goal), max(clean), max(clean_goal)
      from report_counted group by run_contact_id, run_id, mode) as met
group by run_id, mode
