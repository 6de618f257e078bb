-- report_assigned: of campaign $1 at account $2, contacts that each run took; rows that name their own mode are in no
-- experiment. CountedContacts, but for who asked not to be called.
select r.ordinal as night, x.mode, x.assigned, coalesce(k.dialled, 0) as dialled, coalesce(k.reached, 0) as reached,
       coalesce(k.goals, 0) as goals, coalesce(k.clean, 0) as clean, coalesce(k.clean_goals, 0) as clean_goals,
       cast(0 as bigint) as opt_outs
from (select run_id, mode, count(*) as assigned
      from run_contacts
      where run_id in (select run_id from runs where campaign_id = $1 and account_id = $2 and kind = 'campaign')
        and contact_id not in (select contact_id from contacts where campaign_id = $1 and own_mode = 1)
      group by run_id, mode) as x
join runs r on r.run_id = x.run_id
left join contact_counts k on k.run_id = x.run_id and k.mode = x.mode
order by r.ordinal, x.mode
