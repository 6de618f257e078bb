-- report_repeats: of campaign $1 at account $2, from night $3 on, the turns of whoever was talked to more than once, call
-- after call. A null turn_ms is a reply that never came; a negative one is an interruption and no wait. TurnRow.
with again as -- sqlite
with again as materialized -- postgres
(
    select contact_id
    from talked_calls
    where campaign_id = $1
      and run_id in (select run_id from runs where campaign_id = $1 and account_id = $2 and ordinal >= $3)
    group by contact_id
    having count(*) > 1
)
select r.ordinal as night, a.mode, k.contact_id as contact, a.attempt_id as attempt, a.try_number, t.turn_ms, t.method,
       cast(coalesce(c.goal, 0) as bigint) as goal,
       cast(case when c.fault is null then 0 else 1 end as bigint) as faulty
from again g
join talked_calls k on k.campaign_id = $1 and k.contact_id = g.contact_id
join attempts a on a.attempt_id = k.attempt_id
join runs r on r.run_id = a.run_id and r.account_id = $2 and r.ordinal >= $3
left join calls c on c.attempt_id = a.attempt_id
join turns t on t.attempt_id = a.attempt_id
where t.turn_ms is null or t.turn_ms >= 0
order by r.ordinal, k.contact_id, a.try_number, a.attempt_id, t.turn
