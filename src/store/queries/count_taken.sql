-- count_taken: contacts that joined run $1 behind row number $2, by mode; rows that name their own are in no experiment
insert into contact_counts (run_id, mode, assigned, dialled, reached, goals, clean, clean_goals)
select run_id, mode, count(*), 0, 0, 0, 0, 0
from run_contacts
where run_contact_id > $2 and run_contact_id <= $2 + $3 and run_id = $1
  and contact_id not in (select contact_id from contacts
                         where campaign_id = (select campaign_id from runs where run_id = $1) and own_mode = 1)
group by run_id, mode
order by mode
on conflict (run_id, mode) do update set assigned = contact_counts.assigned + excluded.assigned
