-- report_assigned: of campaign $1 at account $2, contacts that each run took; rows that name their own mode are in no
-- experiment. CountedContacts, but for who asked not to be called.
select r.ordinal as night, k.mode, k.assigned, k.dialled, k.reached, k.goals, k.clean, k.clean_goals,
       cast(0 as bigint) as opt_outs
from runs r
join contact_counts k on k.run_id = r.run_id
where r.campaign_id = $1 and r.account_id = $2 and r.kind = 'campaign' and k.assigned > 0
order by r.ordinal, k.mode
