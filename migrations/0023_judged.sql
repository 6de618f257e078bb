-- The goal read once more out of what was said, blind to the mode; and what people found who read the same.

-- What a judge found in an attempt. A rubric is a hash of the rule, the judge and its instructions: the same attempt is
-- judged once by each.
create table judgements
(
    attempt_id bigint not null references attempts (attempt_id),
    rubric     text   not null,

    judge      text   not null check (judge in ('rules', 'model')),
    model      text,
    goal       bigint not null check (goal in (0, 1)),
    -- JSON: what was reached and what is missing; forgotten with the words of the call
    why        text   not null,
    judged_at  bigint not null,
    tokens_in  bigint,
    tokens_out bigint,
    cost_micros bigint,

    primary key (attempt_id, rubric),
    check ((judge = 'model') = (model is not null))
);

-- What a person found in an attempt, who read its words and was not told the mode.
create table labels
(
    attempt_id  bigint not null primary key references attempts (attempt_id),

    goal        bigint not null check (goal in (0, 1)),
    labelled_at bigint not null
);

-- A judgement of a human call beside what our own side recorded and what a person found; own_goal is what every other
-- figure calls a goal.
create view report_judged as
select r.campaign_id, r.account_id, r.ordinal as night, a.mode, rc.contact_id, a.attempt_id, j.rubric, j.judge, j.model,
       j.goal, case when k.goal = 1 then 1 else 0 end as own_goal, case when k.fault is null then 1 else 0 end as clean,
       l.goal as label, j.judged_at, j.tokens_in, j.tokens_out, j.cost_micros
from judgements j
join attempts a on a.attempt_id = j.attempt_id
join runs r on r.run_id = a.run_id
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join contacts c on c.contact_id = rc.contact_id
left join calls k on k.attempt_id = a.attempt_id
left join labels l on l.attempt_id = a.attempt_id
where r.kind = 'campaign' and c.own_mode = 0 and a.state = 'ended' and a.outcome = 'answered';

-- Behind a filler: from the end of the callee's speech until the reply itself was heard. Without a filler that is turn_ms;
-- of fillers that were said before this column nobody knows it.
alter table turns add column content_ms bigint;

-- What every ended attempt says of a latency, as before (0021); of replies that a filler began, both waits, so that
-- turn_content_ms is turn_ms without the one and with the other; and the medians of calls that a fault ended once more, so
-- that they can be left out.
drop view report_observations;
create view report_observations as
with answered as
(
    select run_id, mode, case when human = 1 then 'human' else 'machine' end as class, source, answer_ms, ring_ms,
           first_audio_ms, talk_ms
    from report_attempts where own_mode = 0 and outcome in ('answered', 'machine')
),
stages as
(
    select a.run_id, a.mode, t.asr_ms, t.reply_ms, t.model_ms, t.tts_ms, t.filler, t.turn_ms, t.content_ms
    from report_attempts a
    join turns t on t.attempt_id = a.attempt_id
    where a.own_mode = 0 and a.outcome = 'answered'
),
ranked as
(
    select a.run_id, a.mode, a.attempt_id, a.fault, t.turn, t.turn_ms, t.method,
           row_number() over (partition by a.attempt_id
                              order by case when t.turn_ms is null then 1 else 0 end, t.turn_ms, t.turn) as place,
           count(t.turn_ms) over (partition by a.attempt_id) as answered,
           count(*) over (partition by a.attempt_id) as told
    from report_attempts a
    join turns t on t.attempt_id = a.attempt_id
    where a.own_mode = 0 and a.outcome = 'answered' and (t.turn_ms is null or t.turn_ms >= 0)
),
medians as
(
    select run_id, mode, fault, answered,
           max(case method when 'recording' then 0 when 'vad' then 1 when 'event_corrected' then 2 else 3 end) as ruler,
           sum(case when place = (answered + 1) / 2 then turn_ms else 0 end)
               + sum(case when place = (answered + 2) / 2 then turn_ms else 0 end) as half_ms,
           case when (told + 2) / 2 > answered then -1
                else sum(case when place = (told + 1) / 2 then turn_ms else 0 end)
                     + sum(case when place = (told + 2) / 2 then turn_ms else 0 end) end as half_ms_of_all
    from ranked
    group by run_id, mode, attempt_id, fault, answered, told
)
select run_id, mode, 'answer_ms' as metric, class, '' as method, 0 as later, answer_ms as ms, 0 as ranks, 0 as sizes
from answered where answer_ms is not null
union all
select run_id, mode, 'ring_ms', class, '', 0, ring_ms, 0, 0 from answered where ring_ms is not null
union all
select run_id, mode, 'first_audio_ms', class, '', 0, coalesce(first_audio_ms, -1), 0, 0
from answered where class = 'human' and source = 'event'
union all
select run_id, mode, 'talk_ms', class, '', 0, talk_ms, 0, 0
from answered where class = 'human' and talk_ms is not null
union all
select run_id, mode, 'turn_ms', 'human', method, case when turn = 1 then 0 else 1 end, coalesce(turn_ms, -1),
       case when turn_ms is null then 0 else 2 * place - 1 end, case when turn_ms is null then 0 else answered end
from ranked
union all
select run_id, mode, 'call_turn_half_ms', 'human',
       case ruler when 0 then 'recording' when 1 then 'vad' when 2 then 'event_corrected' else 'event' end, 0, half_ms,
       0, 0
from medians where answered > 0
union all
select run_id, mode, 'call_turn_faulty_half_ms', 'human', '', 0, half_ms, 0, 0
from medians where answered > 0 and fault is not null
union all
select run_id, mode, 'call_turn_all_half_ms', 'human',
       case ruler when 0 then 'recording' when 1 then 'vad' when 2 then 'event_corrected' else 'event' end, 0,
       half_ms_of_all, 0, 0
from medians
union all
select run_id, mode, 'asr_ms', 'human', '', 0, asr_ms, 0, 0 from stages where asr_ms >= 0
union all
select run_id, mode, 'reply_ms', 'human', '', 0, reply_ms, 0, 0 from stages where reply_ms >= 0
union all
select run_id, mode, 'model_ms', 'human', '', 0, model_ms, 0, 0 from stages where model_ms >= 0
union all
select run_id, mode, 'tts_ms', 'human', '', 0, tts_ms, 0, 0 from stages where tts_ms >= 0
union all
select run_id, mode, 'filler_turn_ms', 'human', '', 0, turn_ms, 0, 0 from stages where filler = 1 and turn_ms >= 0
union all
select run_id, mode, 'filler_content_ms', 'human', '', 0, content_ms, 0, 0 from stages where filler = 1 and content_ms >= 0;

insert into latency_counts (run_id, mode, metric, class, method, later, ms, n, ranks, sizes)
select run_id, mode, metric, class, method, later, ms, count(*), 0, 0
from report_observations
where metric in ('filler_turn_ms', 'filler_content_ms', 'call_turn_faulty_half_ms')
group by run_id, mode, metric, class, method, later, ms;

drop view report_latencies;
create view report_latencies as
select r.campaign_id, r.account_id, r.ordinal as night, l.mode, l.metric,
       case when l.ms < 0 then null else l.ms end as value_ms, cast(sum(l.n) as bigint) as n
from latency_counts l
join runs r on r.run_id = l.run_id
where l.n > 0 and (l.ms >= 0 or l.metric <> 'turn_ms')
  and l.metric not in ('call_turn_half_ms', 'call_turn_all_half_ms', 'call_turn_faulty_half_ms', 'filler_turn_ms',
                       'filler_content_ms')
group by r.campaign_id, r.account_id, r.ordinal, l.mode, l.metric, l.ms
union all
select r.campaign_id, r.account_id, r.ordinal, l.mode, 'turn_content_ms', l.ms,
       cast(sum(case when l.metric = 'filler_turn_ms' then -l.n else l.n end) as bigint)
from latency_counts l
join runs r on r.run_id = l.run_id
where l.metric in ('turn_ms', 'filler_turn_ms', 'filler_content_ms') and l.ms >= 0
group by r.campaign_id, r.account_id, r.ordinal, l.mode, l.ms
having sum(case when l.metric = 'filler_turn_ms' then -l.n else l.n end) > 0;

drop view report_turns;
create view report_turns as
select a.campaign_id, a.account_id, a.night, a.mode, a.contact_id, a.attempt_id, t.turn, t.turn_ms, t.method, t.asr_ms,
       t.reply_ms, t.model_ms, t.tts_ms, t.filler, t.interrupted,
       case when t.filler = 1 then t.content_ms else t.turn_ms end as turn_content_ms
from report_attempts a
join turns t on t.attempt_id = a.attempt_id
where a.own_mode = 0 and a.outcome = 'answered';

drop view report_version;
create view report_version as select cast(3 as bigint) as version;
