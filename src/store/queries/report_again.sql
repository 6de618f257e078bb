-- report_again: of campaign $1 at account $2, contacts in more than one of the nights from $3 on, in the nights that do
-- not count for them: neither the first with a human call nor, without one, the last. CountedContacts. PostgreSQL would
-- look for them once in each of its processes.
with again as -- sqlite
with again as materialized -- postgres
(
    select contact_id
    from run_contacts
    where +run_id in -- sqlite
    where run_id in -- postgres
          (select run_id from runs where campaign_id = $1 and account_id = $2 and kind = 'campaign' and ordinal >= $3)
    group by contact_id
    having count(*) > 1
),
seen as
(
    select r.ordinal as night, rc.mode, rc.contact_id,
           max(case when a.outcome is not null and a.outcome not in
                         ('cancelled', 'expired', 'suppressed', 'scenario_error', 'no_funds') then 1 else 0 end) as dialled,
           max(case when a.outcome = 'answered' then 1 else 0 end) as reached,
           max(case when a.outcome = 'answered' and k.goal = 1 then 1 else 0 end) as goal,
           max(case when a.outcome = 'answered' and k.fault is null then 1 else 0 end) as clean,
           max(case when a.outcome = 'answered' and k.goal = 1 and k.fault is null then 1 else 0 end) as clean_goal,
           max(case when a.outcome = 'answered' and u.suppressed_at >= a.dialed_at
                         and u.suppressed_at <= a.ended_at + 60000 then 1 else 0 end) as opt_out
    from again g
    join run_contacts rc on rc.contact_id = g.contact_id
    join runs r on r.run_id = rc.run_id and r.account_id = $2 and r.kind = 'campaign' and r.ordinal >= $3
    join contacts c on c.contact_id = rc.contact_id and c.own_mode = 0
    left join attempts a on a.run_contact_id = rc.run_contact_id and a.state = 'ended'
    left join numbers u on u.number_id = a.number_id
    left join calls k on k.attempt_id = a.attempt_id
    group by r.ordinal, rc.mode, rc.contact_id
),
counted as
(
    select night, mode, dialled, reached, goal, clean, clean_goal, opt_out,
           coalesce(min(case when reached = 1 then night end) over (partition by contact_id),
                    max(night) over (partition by contact_id)) as counts
    from seen
)
select night, mode, count(*) as assigned, cast(sum(dialled) as bigint) as dialled, cast(sum(reached) as bigint) as reached,
       cast(sum(goal) as bigint) as goals, cast(sum(clean) as bigint) as clean,
       cast(sum(clean_goal) as bigint) as clean_goals, cast(sum(opt_out) as bigint) as opt_outs
from counted
where night <> counts
group by night, mode
order by night, mode
