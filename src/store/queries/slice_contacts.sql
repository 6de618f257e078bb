-- slice_contacts: of campaign $1 at account $2, contacts by mode and by what the dimension $3 (of `column`: $4) says of
-- them, among attempts dialled from $5 until before $6: how many were dialled, reached, and reached the goal. SlicedContacts.
select label, mode, count(*) as dialled, cast(sum(reached) as bigint) as reached, cast(sum(goal) as bigint) as goals
from (select label, mode, contact_id, max(reached) as reached, max(goal) as goal
      from (select case $3 when 'list' then cast(c.batch_id as text)
                   when 'zone' then coalesce(c.timezone, '')
                   when 'caller_id' then coalesce(a.caller_id, '')
                   when 'quarter' then cast((a.dialed_at / 900000) * 900000 as text)
                   when 'column' then coalesce(c.variables ->> $4, '') -- sqlite
                   when 'column' then coalesce(cast(c.variables as json) ->> $4, '') -- postgres
                   else '' end as label,
                   a.mode, c.contact_id, case when a.outcome = 'answered' then 1 else 0 end as reached,
                   case when a.outcome = 'answered' and k.goal = 1 then 1 else 0 end as goal
            from runs r
            join attempts a on a.run_id = r.run_id
            join run_contacts rc on rc.run_contact_id = a.run_contact_id
            join contacts c on c.contact_id = rc.contact_id
            left join calls k on k.attempt_id = a.attempt_id
            where r.campaign_id = $1 and r.account_id = $2 and r.kind = 'campaign' and c.own_mode = 0
              and a.state = 'ended' and a.dialed_at >= $5 and a.dialed_at < $6
              and a.outcome not in ('cancelled', 'expired', 'suppressed', 'scenario_error', 'no_funds')) as dialled
      group by label, mode, contact_id) as met
group by label, mode
order by label, mode
