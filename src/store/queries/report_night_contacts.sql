-- report_night_contacts: of campaign $1 at account $2, every run by itself: contacts assigned, dialled, reached by a
-- person, with goal, opted out (suppressed during or within a minute of a human call). Rows with a mode of their own
-- are in no experiment. ContactRow.
with seen as
(
    select rc.contact_id, rc.mode, r.ordinal as night,
           max(case when a.outcome is not null and a.outcome not in
                         ('cancelled', 'expired', 'suppressed', 'scenario_error', 'no_funds') then 1 else 0 end)
               as dialled,
           max(case when a.outcome = 'answered' then 1 else 0 end) as reached,
           max(case when a.outcome = 'answered' and k.goal = 1 then 1 else 0 end) as goal,
           max(case when a.outcome = 'answered' and n.suppressed_at >= a.dialed_at
                         and n.suppressed_at <= a.ended_at + 60000 then 1 else 0 end) as opt_out
    from run_contacts rc
    join runs r on r.run_id = rc.run_id
    join contacts c on c.contact_id = rc.contact_id
    join numbers n on n.number_id = rc.number_id
    left join attempts a on a.run_contact_id = rc.run_contact_id and a.state = 'ended'
    left join calls k on k.attempt_id = a.attempt_id
    where r.campaign_id = $1 and r.account_id = $2 and r.kind = 'campaign' and c.own_mode = 0
    group by rc.contact_id, rc.mode, r.ordinal
)
select night, mode, count(*) as assigned, cast(sum(dialled) as bigint) as dialled,
       cast(sum(reached) as bigint) as reached, cast(sum(goal) as bigint) as goals,
       cast(sum(opt_out) as bigint) as opt_outs
from seen
group by night, mode
order by night, mode
