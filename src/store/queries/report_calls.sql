-- report_calls: of campaign $1 at account $2, what became of answered attempts. A hang-up by the callee under $3 ms
-- is early; a greeting over $4 ms or never is late, where the session itself told of it (history knows no audio).
-- Cost (as billed, see attempt_costs) and ringing are over all ended attempts. CallRow; `unknown` is 0 until detection stores a third finding.
with ended as
(
    select a.attempt_id, r.ordinal as night, a.mode, a.outcome, k.source, k.hung_up_by, k.fault, k.ring_ms,
           k.first_audio_ms, k.talk_ms, b.cost_micros,
           (select count(*) from turns t where t.attempt_id = a.attempt_id and t.turn_ms >= 0) as replies,
           (select count(*) from turns t where t.attempt_id = a.attempt_id and t.turn_ms < 0) as interruptions
    from attempts a
    join runs r on r.run_id = a.run_id
    join run_contacts rc on rc.run_contact_id = a.run_contact_id
    join contacts c on c.contact_id = rc.contact_id
    left join calls k on k.attempt_id = a.attempt_id
    join attempt_costs b on b.attempt_id = a.attempt_id
    where r.campaign_id = $1 and r.account_id = $2 and r.kind = 'campaign' and c.own_mode = 0 and a.state = 'ended'
)
select night, mode,
       cast(sum(case when outcome = 'answered' then 1 else 0 end) as bigint) as human,
       cast(sum(case when outcome = 'machine' then 1 else 0 end) as bigint) as machine,
       cast(0 as bigint) as unknown,
       cast(sum(case when outcome = 'answered' and replies > 0 then 1 else 0 end) as bigint) as conversed,
       cast(sum(case when outcome = 'answered' and hung_up_by = 'callee' and talk_ms < $3 then 1 else 0 end) as bigint)
           as early_hangups,
       cast(sum(case when outcome = 'answered' and source = 'event'
                          and (first_audio_ms is null or first_audio_ms > $4) then 1 else 0 end) as bigint)
           as late_greetings,
       cast(sum(case when outcome in ('answered', 'machine') and fault is not null then 1 else 0 end) as bigint)
           as faults,
       cast(sum(case when outcome in ('answered', 'machine') then coalesce(talk_ms, 0) else 0 end) as bigint)
           as talk_ms,
       cast(sum(cost_micros) as bigint) as cost_micros,
       cast(sum(case when ring_ms is not null then 1 else 0 end) as bigint) as ringing,
       cast(sum(case when outcome = 'answered' then interruptions else 0 end) as bigint) as interruptions
from ended
group by night, mode
order by night, mode
