-- What the intervals of latencies need, kept up like the counts themselves, so that no report reads a turn.

-- Of answered turns alone. The r-th fastest of the n answered turns of its call adds 2r-1 to `ranks` and n to `sizes`.
-- Up to any millisecond q, `ranks` sum up to the squares of how many turns of each call took at most q, and `sizes` to
-- the products of that with the call's length: all that an interval with calls as clusters is made of.
alter table latency_counts add column ranks bigint not null default 0;
alter table latency_counts add column sizes bigint not null default 0;

-- Human calls with turns, by contact: whoever was talked to more than once counts once in a pooled figure. It refers to
-- attempts alone: a reference locks its row, and a campaign is locked before its runs, never after them.
create table talked_calls
(
    campaign_id bigint not null,
    contact_id  bigint not null,
    attempt_id  bigint not null references attempts (attempt_id),
    run_id      bigint not null,

    primary key (campaign_id, contact_id, attempt_id)
);

-- What every ended attempt says of a latency, one row an observation; -1 is a wait without end. answer_ms and ring_ms are
-- over answered attempts, the rest over human calls. `later` tells a call's first turn (0) from the others (1). The two
-- medians of a call are in half milliseconds, and whole; their method is the worst of its turns.
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
    select a.run_id, a.mode, t.asr_ms, t.reply_ms, t.model_ms, t.tts_ms
    from report_attempts a
    join turns t on t.attempt_id = a.attempt_id
    where a.own_mode = 0 and a.outcome = 'answered'
),
ranked as
(
    select a.run_id, a.mode, a.attempt_id, t.turn, t.turn_ms, t.method,
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
    select run_id, mode, answered,
           max(case method when 'recording' then 0 when 'vad' then 1 when 'event_corrected' then 2 else 3 end) as ruler,
           sum(case when place = (answered + 1) / 2 then turn_ms else 0 end)
               + sum(case when place = (answered + 2) / 2 then turn_ms else 0 end) as half_ms,
           case when (told + 2) / 2 > answered then -1
                else sum(case when place = (told + 1) / 2 then turn_ms else 0 end)
                     + sum(case when place = (told + 2) / 2 then turn_ms else 0 end) end as half_ms_of_all
    from ranked
    group by run_id, mode, attempt_id, answered, told
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
select run_id, mode, 'tts_ms', 'human', '', 0, tts_ms, 0, 0 from stages where tts_ms >= 0;

delete from latency_counts;
insert into latency_counts (run_id, mode, metric, class, method, later, ms, n, ranks, sizes)
select run_id, mode, metric, class, method, later, ms, count(*), cast(sum(ranks) as bigint), cast(sum(sizes) as bigint)
from report_observations
group by run_id, mode, metric, class, method, later, ms;

insert into talked_calls (campaign_id, contact_id, attempt_id, run_id)
select campaign_id, contact_id, attempt_id, run_id
from report_attempts
where own_mode = 0 and outcome = 'answered' and (replies > 0 or unanswered > 0);

-- A null value is a wait without end; of turns it is counted as unanswered and is no latency. The medians of calls are
-- in half milliseconds there, and in milliseconds here.
drop view report_latencies;
create view report_latencies as
select r.campaign_id, r.account_id, r.ordinal as night, l.mode, l.metric,
       case when l.ms < 0 then null else l.ms end as value_ms, cast(sum(l.n) as bigint) as n
from latency_counts l
join runs r on r.run_id = l.run_id
where l.n > 0 and (l.ms >= 0 or l.metric <> 'turn_ms')
  and l.metric not in ('call_turn_half_ms', 'call_turn_all_half_ms')
group by r.campaign_id, r.account_id, r.ordinal, l.mode, l.metric, l.ms;

-- The median of each human call's waits, in half milliseconds: how many calls had it. A null value of
-- call_turn_all_half_ms is a call that waited without end for half of its replies or more.
create view report_call_turns as
select r.campaign_id, r.account_id, r.ordinal as night, l.mode, l.metric, l.method,
       case when l.ms < 0 then null else l.ms end as value_half_ms, l.n
from latency_counts l
join runs r on r.run_id = l.run_id
where l.n > 0 and l.metric in ('call_turn_half_ms', 'call_turn_all_half_ms');

drop view report_version;
create view report_version as select cast(2 as bigint) as version;

-- An ended attempt, as it is counted: rows of an experiment alone, and none that was withdrawn before anybody was dialled.
-- A hang-up by the callee within 10 s is early; a greeting after more than 2 s, or none, is late where the session itself
-- told of the call. `barge_ins` are replies that the callee spoke into, `fillers` those that began with one.
create view report_counted as
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
            then (select count(*) from turns t where t.attempt_id = a.attempt_id and t.filler = 1) else 0 end as fillers
from attempts a
join runs r on r.run_id = a.run_id
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join contacts c on c.contact_id = rc.contact_id
left join calls k on k.attempt_id = a.attempt_id
where r.kind = 'campaign' and c.own_mode = 0 and a.state = 'ended'
  and (a.dialed_at is not null or a.outcome not in ('cancelled', 'expired', 'suppressed'));

-- The same counted, by outcome and by the quarter of an hour in which it was dialled (0: never). Kept up like
-- latency_counts. `costed` are attempts of which a cost is known.
create table attempt_counts
(
    run_id         bigint not null references runs (run_id),
    mode           text   not null,
    outcome        text   not null,
    quarter_at     bigint not null,

    n              bigint not null,
    goals          bigint not null,
    conversed      bigint not null,
    early_hangups  bigint not null,
    late_greetings bigint not null,
    faults         bigint not null,
    talk_ms        bigint not null,
    cost_micros    bigint not null,
    costed         bigint not null,
    ringing        bigint not null,
    interruptions  bigint not null,
    barge_ins      bigint not null,
    fillers        bigint not null,

    primary key (run_id, mode, outcome, quarter_at)
);

insert into attempt_counts (run_id, mode, outcome, quarter_at, n, goals, conversed, early_hangups, late_greetings, faults,
                            talk_ms, cost_micros, costed, ringing, interruptions, barge_ins, fillers)
select run_id, mode, outcome, quarter_at, count(*), sum(goal), sum(conversed), sum(early_hangup), sum(late_greeting),
       sum(fault), sum(talk_ms), coalesce(sum(cost_micros), 0), count(cost_micros), sum(ringing), sum(interruptions),
       sum(barge_ins), sum(fillers)
from report_counted
group by run_id, mode, outcome, quarter_at;

-- Contacts of an experiment by what became of them in a run: dialled, reached by a person, with goal; and the last two
-- again by calls that no fault ended.
create table contact_counts
(
    run_id  bigint not null references runs (run_id),
    mode    text   not null,

    dialled bigint not null,
    reached bigint not null,
    goals   bigint not null,
    clean       bigint not null,
    clean_goals bigint not null,

    primary key (run_id, mode)
);

insert into contact_counts (run_id, mode, dialled, reached, goals, clean, clean_goals)
select run_id, mode, sum(dialled), sum(reached), sum(goal), sum(clean), sum(clean_goal)
from (select run_id, mode, max(dialled) as dialled, max(reached) as reached, max(goal) as goal,
             max(clean) as clean, max(clean_goal) as clean_goal
      from report_counted group by run_contact_id, run_id, mode) as met
group by run_id, mode;

-- Whoever is in more than one run, found in the order of the index.
drop index run_contacts_by_contact;
create index run_contacts_by_contact on run_contacts (contact_id, run_id);
-- Rows that name their own mode are few, mostly.
create index contacts_apart on contacts (campaign_id) where own_mode = 1;

-- How often something changed that a finished run had counted already: late turns, a corrected loss, a bill, an opt-out.
-- Written last in the transaction that changed it, so it refers to nothing.
create table report_changes
(
    campaign_id bigint not null primary key,
    changes     bigint not null
);

-- Reports of campaigns in which no run is open, as they were made. The signature names everything that went into one,
-- report_changes too: whatever changes, another report is made, and the old one stays to be read.
create table report_snapshots
(
    campaign_id bigint not null references campaigns (campaign_id),
    signature   text   not null,

    made_at     bigint not null,
    body        text   not null,

    primary key (campaign_id, signature)
);
