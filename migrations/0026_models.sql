-- What a call costs is what the provider and the models cost: a comparison that left the models out would flatter the modes
-- that use them most.

-- A model to which the platform itself carried the audio is told at the call's end: its row has the encoding `platform`.
create table streams_kept as select * from media_streams;
drop table media_streams;
create table media_streams
(
    attempt_id bigint not null references attempts (attempt_id),
    opened_at  bigint not null,

    lasted_ms  bigint not null check (lasted_ms >= 0),
    model      text   not null,
    encoding   text   not null check (encoding in ('ULAW', 'ALAW', 'PCM8', 'PCM16', 'platform')),
    -- who or what ended it, and in whose words
    ended_by   text   not null,
    reason     text   not null,
    -- what was heard, said, lost and cut, and the model's tokens, as JSON
    tally      text   not null,
    -- the tools that were called, as a list in JSON
    tools      text   not null,
    -- by the tokens that the model counted; none where there is no price
    cost_micros bigint,

    primary key (attempt_id, opened_at)
);
insert into media_streams (attempt_id, opened_at, lasted_ms, model, encoding, ended_by, reason, tally, tools, cost_micros)
select attempt_id, opened_at, lasted_ms, model, encoding, ended_by, reason, tally, tools, cost_micros from streams_kept;
drop table streams_kept;

-- What an attempt cost: every session of it as it was billed, and the call as its session told it until then; besides, what
-- models counted, that replied or spoke. Null is unknown: nobody told anything.
drop view attempt_costs; -- sqlite
create view attempt_costs as -- sqlite
create or replace view attempt_costs as -- postgres
select attempt_id,
       case when provider_micros is null and models_micros is null then null
            else coalesce(provider_micros, 0) + coalesce(models_micros, 0) end as cost_micros,
       provider_micros, models_micros
from (select attempt_id,
             case
                 when billed is null then told
                 when call_billed is null then billed + coalesce(told, 0)
                 else billed
             end as provider_micros,
             case when replied is null and spoken is null then null
                  else coalesce(replied, 0) + coalesce(spoken, 0) end as models_micros
      from (select a.attempt_id, k.cost_micros as told,
                   (select cast(sum(h.cost_micros) as bigint) from history h where h.attempt_id = a.attempt_id) as billed,
                   (select h.cost_micros from history h where h.session_id = k.session_id) as call_billed,
                   (select cast(sum(d.cost_micros) as bigint) from dialogue_turns d where d.attempt_id = a.attempt_id)
                       as replied,
                   (select cast(sum(m.cost_micros) as bigint) from media_streams m where m.attempt_id = a.attempt_id)
                       as spoken
            from attempts a left join calls k on k.attempt_id = a.attempt_id) as told_costs) as costs;

drop view report_version;
create view report_version as select cast(4 as bigint) as version;

delete from attempt_counts;
insert into attempt_counts (run_id, mode, outcome, quarter_at, n, goals, conversed, early_hangups, late_greetings, faults,
                            talk_ms, cost_micros, costed, ringing, interruptions, barge_ins, fillers)
select run_id, mode, outcome, quarter_at, count(*), sum(goal), sum(conversed), sum(early_hangup), sum(late_greeting),
       sum(fault), sum(talk_ms), coalesce(sum(cost_micros), 0), count(cost_micros), sum(ringing), sum(interruptions),
       sum(barge_ins), sum(fillers)
from report_counted
group by run_id, mode, outcome, quarter_at;
