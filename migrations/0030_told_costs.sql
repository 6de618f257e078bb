-- A call whose speaking model never told what it used has not told what it cost: `costed` counts calls of which all is known,
-- so that a mode whose scenario tells nothing is not the cheap one.
drop view report_counted; -- sqlite
create view report_counted as -- sqlite
create or replace view report_counted as -- postgres
select a.attempt_id, a.run_contact_id, a.run_id, a.mode, a.outcome,
       coalesce((a.dialed_at / 900000) * 900000, 0) as quarter_at,
       case when a.outcome in ('scenario_error', 'no_funds', 'cancelled', 'expired', 'suppressed') then 0 else 1 end
           as dialled,
       case when a.outcome = 'answered' then 1 else 0 end as reached,
       case when a.outcome = 'answered' and k.goal = 1 then 1 else 0 end as goal,
       case when a.outcome = 'answered' and k.fault is null then 1 else 0 end as clean,
       case when a.outcome = 'answered' and k.goal = 1 and k.fault is null then 1 else 0 end as clean_goal,
       case when a.outcome = 'answered'
                 and exists (select 1 from turns t where t.attempt_id = a.attempt_id and t.turn_ms >= 0)
            then 1 else 0 end as conversed,
       case when a.outcome = 'answered' and k.hung_up_by = 'callee' and k.talk_ms < 10000 then 1 else 0 end
           as early_hangup,
       case when a.outcome = 'answered' and k.source = 'event' and (k.first_audio_ms is null or k.first_audio_ms > 2000)
            then 1 else 0 end as late_greeting,
       case when a.outcome in ('answered', 'machine') and k.fault is not null then 1 else 0 end as fault,
       case when a.outcome in ('answered', 'machine') then coalesce(k.talk_ms, 0) else 0 end as talk_ms,
       (select b.cost_micros from attempt_costs b where b.attempt_id = a.attempt_id) as cost_micros,
       case when k.ring_ms is not null then 1 else 0 end as ringing,
       case when a.outcome = 'answered'
            then (select count(*) from turns t where t.attempt_id = a.attempt_id and t.turn_ms < 0) else 0 end
           as interruptions,
       case when a.outcome = 'answered'
            then (select count(*) from turns t where t.attempt_id = a.attempt_id and t.interrupted = 1) else 0 end
           as barge_ins,
       case when a.outcome = 'answered'
            then (select count(*) from turns t where t.attempt_id = a.attempt_id and t.filler = 1) else 0 end as fillers,
       -- Whoever talks through a model that speaks has its costs told by the session, or by our bridge.
       case when a.outcome = 'answered' and a.mode in ('realtime', 'realtime_pure', 'realtime_stream')
                 and not exists (select 1 from media_streams m
                                 where m.attempt_id = a.attempt_id and m.cost_micros is not null)
            then 0 else 1 end as model_told
from attempts a
join runs r on r.run_id = a.run_id
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join contacts c on c.contact_id = rc.contact_id
left join calls k on k.attempt_id = a.attempt_id
where r.kind = 'campaign' and c.own_mode = 0 and a.state = 'ended'
  and (a.dialed_at is not null or a.outcome not in ('cancelled', 'expired', 'suppressed'));

drop view report_version;
create view report_version as select cast(5 as bigint) as version;

delete from attempt_counts;
insert into attempt_counts (run_id, mode, outcome, quarter_at, n, goals, conversed, early_hangups, late_greetings, faults,
                            talk_ms, cost_micros, costed, ringing, interruptions, barge_ins, fillers)
select run_id, mode, outcome, quarter_at, count(*), sum(goal), sum(conversed), sum(early_hangup), sum(late_greeting),
       sum(fault), sum(talk_ms), coalesce(sum(cost_micros), 0), count(case when model_told = 1 then cost_micros end),
       sum(ringing), sum(interruptions), sum(barge_ins), sum(fillers)
from report_counted
group by run_id, mode, outcome, quarter_at;
