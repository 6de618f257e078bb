-- report_apart: of campaign $1 at account $2, contacts whose row names its own mode: called, and in no experiment.
-- CountedApart.
select a.mode, count(distinct c.contact_id) as contacts,
       cast(sum(case when a.outcome in ('cancelled', 'expired', 'suppressed', 'scenario_error', 'no_funds')
                then 0 else 1 end) as bigint) as attempts,
       cast(sum(case when a.outcome in ('answered', 'machine') then 1 else 0 end) as bigint) as answered,
       cast(sum(case when a.outcome = 'answered' then 1 else 0 end) as bigint) as human,
       cast(sum(case when a.outcome = 'answered' and k.goal = 1 then 1 else 0 end) as bigint) as goals
from contacts c
join run_contacts rc on rc.contact_id = c.contact_id
join runs r on r.run_id = rc.run_id
join attempts a on a.run_contact_id = rc.run_contact_id
left join calls k on k.attempt_id = a.attempt_id
where c.campaign_id = $1 and c.own_mode = 1 and r.account_id = $2 and r.kind = 'campaign' and a.state = 'ended'
group by a.mode
order by a.mode
