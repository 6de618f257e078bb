-- judged_contacts: of campaign $1 at account $2, contacts in whose calls rubric $3 found the goal: by night, and of those
-- whom the nights from $4 on count in it, as their first with a human call. JudgedContacts.
with met as
(
    select night, mode, contact_id, max(goal) as goal, max(goal * clean) as clean_goal
    from report_judged
    where campaign_id = $1 and account_id = $2 and rubric = $3
    group by night, mode, contact_id
),
firsts as
(
    select rc.contact_id, min(r.ordinal) as night
    from runs r
    join attempts a on a.run_id = r.run_id
    join run_contacts rc on rc.run_contact_id = a.run_contact_id
    where r.campaign_id = $1 and r.account_id = $2 and r.kind = 'campaign' and r.ordinal >= $4
      and a.state = 'ended' and a.outcome = 'answered'
    group by rc.contact_id
)
select m.night, m.mode, cast(sum(m.goal) as bigint) as goals, cast(sum(m.clean_goal) as bigint) as clean_goals,
       cast(sum(case when f.night = m.night then m.goal else 0 end) as bigint) as goals_once,
       cast(sum(case when f.night = m.night then m.clean_goal else 0 end) as bigint) as clean_goals_once
from met m
left join firsts f on f.contact_id = m.contact_id
group by m.night, m.mode
order by m.night, m.mode
