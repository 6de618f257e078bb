-- How many contacts of an experiment a run took, by mode, counted when they join it.
alter table contact_counts add column assigned bigint not null default 0;

insert into contact_counts (run_id, mode, assigned, dialled, reached, goals, clean, clean_goals)
select rc.run_id, rc.mode, count(*), 0, 0, 0, 0, 0
from run_contacts rc
join runs r on r.run_id = rc.run_id
join contacts c on c.contact_id = rc.contact_id
where r.kind = 'campaign' and c.own_mode = 0
group by rc.run_id, rc.mode
on conflict (run_id, mode) do update set assigned = excluded.assigned;
