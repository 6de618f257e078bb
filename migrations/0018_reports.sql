-- What reports count: every count a view with a name, for reports and for whoever connects a tool of their own, the same
-- on both engines. docs/REPORTS.md tells what each holds. Shares and quantiles are computed outside.

-- Changes whenever a view counts something else than before; exports carry it.
create view report_version as select cast(1 as bigint) as version;

-- Ended attempts with their call, one row each. Rows that name their own mode are here too, and in no other view but
-- report_apart. `replies` are turns that were answered, `unanswered` turns that never were; a negative latency is an
-- interruption.
create view report_attempts as
select r.campaign_id, r.account_id, a.run_id, r.ordinal as night, a.mode, c.own_mode, rc.contact_id, a.attempt_id,
       a.try_number, a.outcome,
       cast(case when a.outcome in ('cancelled', 'expired', 'suppressed', 'scenario_error', 'no_funds')
            then 0 else 1 end as bigint) as dialled,
       cast(case when a.outcome in ('answered', 'machine') then 1 else 0 end as bigint) as answered,
       cast(case when a.outcome = 'answered' then 1 else 0 end as bigint) as human,
       cast(case when a.outcome = 'answered' and k.goal = 1 then 1 else 0 end as bigint) as goal,
       a.dialed_at, a.ended_at, a.told, k.source, k.hung_up_by, k.fault, k.answer_ms, k.ring_ms, k.first_audio_ms,
       k.talk_ms,
       (select b.cost_micros from attempt_costs b where b.attempt_id = a.attempt_id) as cost_micros,
       (select count(*) from turns t where t.attempt_id = a.attempt_id and t.turn_ms >= 0) as replies,
       (select count(*) from turns t where t.attempt_id = a.attempt_id and t.turn_ms is null) as unanswered,
       (select count(*) from turns t where t.attempt_id = a.attempt_id and t.turn_ms < 0) as interruptions
from attempts a
join runs r on r.run_id = a.run_id
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join contacts c on c.contact_id = rc.contact_id
left join calls k on k.attempt_id = a.attempt_id
where r.kind = 'campaign' and a.state = 'ended';

-- Ended attempts by outcome, undialled ones too. A cancellation counts where it ended a call, not where it withdrew one.
create view report_outcomes as
select campaign_id, account_id, night, mode, outcome, count(*) as n
from report_attempts
where own_mode = 0 and (outcome <> 'cancelled' or dialed_at is not null)
group by campaign_id, account_id, night, mode, outcome;

-- A contact in a run: dialled, reached by a person, with goal, opted out (suppressed during or within a minute of a
-- human call).
create view report_contact_nights as
select r.campaign_id, r.account_id, r.ordinal as night, rc.mode, rc.contact_id,
       cast(max(case when a.outcome is not null and a.outcome not in
                          ('cancelled', 'expired', 'suppressed', 'scenario_error', 'no_funds') then 1 else 0 end)
            as bigint) as dialled,
       cast(max(case when a.outcome = 'answered' then 1 else 0 end) as bigint) as reached,
       cast(max(case when a.outcome = 'answered' and k.goal = 1 then 1 else 0 end) as bigint) as goal,
       cast(max(case when a.outcome = 'answered' and n.suppressed_at >= a.dialed_at
                          and n.suppressed_at <= a.ended_at + 60000 then 1 else 0 end) as bigint) as opt_out
from run_contacts rc
join runs r on r.run_id = rc.run_id
join contacts c on c.contact_id = rc.contact_id
left join attempts a on a.run_contact_id = rc.run_contact_id and a.state = 'ended'
left join numbers n on n.number_id = a.number_id
left join calls k on k.attempt_id = a.attempt_id
where r.kind = 'campaign' and c.own_mode = 0
group by r.campaign_id, r.account_id, r.ordinal, rc.mode, rc.contact_id;

-- The same counted, every run by itself.
create view report_night_contacts as
select campaign_id, account_id, night, mode, count(*) as assigned, cast(sum(dialled) as bigint) as dialled,
       cast(sum(reached) as bigint) as reached, cast(sum(goal) as bigint) as goals,
       cast(sum(opt_out) as bigint) as opt_outs
from report_contact_nights
group by campaign_id, account_id, night, mode;

-- Each contact once, in the run that counts for it: its first with a human call, else its last. So the sums over nights
-- are the pooled figures.
create view report_contacts as
select campaign_id, account_id, night, mode, count(*) as assigned, cast(sum(dialled) as bigint) as dialled,
       cast(sum(reached) as bigint) as reached, cast(sum(goal) as bigint) as goals,
       cast(sum(opt_out) as bigint) as opt_outs
from (select campaign_id, account_id, night, mode, dialled, reached, goal, opt_out,
             coalesce(min(case when reached = 1 then night end) over (partition by campaign_id, account_id, contact_id),
                      max(night) over (partition by campaign_id, account_id, contact_id)) as counted
      from report_contact_nights) as seen
where night = counted
group by campaign_id, account_id, night, mode;

-- What became of answered attempts. A hang-up by the callee within 10 s is early; a greeting after more than 2 s, or
-- none, is late where the session itself told of the call. Cost and ringing are over all ended attempts.
create view report_calls as
select campaign_id, account_id, night, mode,
       cast(sum(human) as bigint) as human,
       cast(sum(answered - human) as bigint) as machine,
       cast(0 as bigint) as unknown,
       cast(sum(case when human = 1 and replies > 0 then 1 else 0 end) as bigint) as conversed,
       cast(sum(case when human = 1 and hung_up_by = 'callee' and talk_ms < 10000 then 1 else 0 end) as bigint)
           as early_hangups,
       cast(sum(case when human = 1 and source = 'event' and (first_audio_ms is null or first_audio_ms > 2000)
                then 1 else 0 end) as bigint) as late_greetings,
       cast(sum(case when answered = 1 and fault is not null then 1 else 0 end) as bigint) as faults,
       cast(sum(case when answered = 1 then coalesce(talk_ms, 0) else 0 end) as bigint) as talk_ms,
       cast(sum(cost_micros) as bigint) as cost_micros,
       cast(sum(case when ring_ms is not null then 1 else 0 end) as bigint) as ringing,
       cast(sum(case when human = 1 then interruptions else 0 end) as bigint) as interruptions
from report_attempts
where own_mode = 0
group by campaign_id, account_id, night, mode;

-- The turns of human calls. A null turn_ms is a reply that never came.
create view report_turns as
select a.campaign_id, a.account_id, a.night, a.mode, a.contact_id, a.attempt_id, t.turn, t.turn_ms, t.method, t.asr_ms,
       t.reply_ms, t.model_ms, t.tts_ms, t.filler, t.interrupted
from report_attempts a
join turns t on t.attempt_id = a.attempt_id
where a.own_mode = 0 and a.outcome = 'answered';

-- What every ended attempt says of a latency, one row an observation; -1 is a wait without end. answer_ms and ring_ms are
-- over answered attempts, the rest over human calls. `later` tells a call's first turn (0) from the others (1).
create view report_observations as
select run_id, mode, 'answer_ms' as metric, class, '' as method, 0 as later, answer_ms as ms
from (select run_id, mode, case when human = 1 then 'human' else 'machine' end as class, answer_ms
      from report_attempts where own_mode = 0 and outcome in ('answered', 'machine') and answer_ms is not null) as a
union all
select run_id, mode, 'ring_ms', class, '', 0, ring_ms
from (select run_id, mode, case when human = 1 then 'human' else 'machine' end as class, ring_ms
      from report_attempts where own_mode = 0 and outcome in ('answered', 'machine') and ring_ms is not null) as a
union all
select run_id, mode, 'first_audio_ms', 'human', '', 0, coalesce(first_audio_ms, -1)
from report_attempts where own_mode = 0 and outcome = 'answered' and source = 'event'
union all
select run_id, mode, 'talk_ms', 'human', '', 0, talk_ms
from report_attempts where own_mode = 0 and outcome = 'answered' and talk_ms is not null
union all
select a.run_id, a.mode, 'turn_ms', 'human', t.method, case when t.turn = 1 then 0 else 1 end, coalesce(t.turn_ms, -1)
from report_attempts a
join turns t on t.attempt_id = a.attempt_id
where a.own_mode = 0 and a.outcome = 'answered' and (t.turn_ms is null or t.turn_ms >= 0);

-- The same counted: how often each whole millisecond occurred, an exact sketch from which every percentile is read.
-- Whatever ends an attempt, or changes an ended one, takes its old share out and puts the new one in, in that
-- transaction. A row whose n fell to 0 stands for nothing.
create table latency_counts
(
    run_id bigint not null references runs (run_id),
    mode   text   not null,
    metric text   not null,
    class  text   not null check (class in ('human', 'machine')),
    method text   not null,
    later  bigint not null check (later in (0, 1)),
    ms     bigint not null check (ms >= -1),

    n      bigint not null,

    primary key (run_id, mode, metric, class, method, later, ms)
);

insert into latency_counts (run_id, mode, metric, class, method, later, ms, n)
select run_id, mode, metric, class, method, later, ms, count(*)
from report_observations
group by run_id, mode, metric, class, method, later, ms;

-- A null value is a wait without end; of turns it is counted as unanswered and is no latency.
create view report_latencies as
select r.campaign_id, r.account_id, r.ordinal as night, l.mode, l.metric,
       case when l.ms < 0 then null else l.ms end as value_ms, cast(sum(l.n) as bigint) as n
from latency_counts l
join runs r on r.run_id = l.run_id
where l.n > 0 and (l.ms >= 0 or l.metric <> 'turn_ms')
group by r.campaign_id, r.account_id, r.ordinal, l.mode, l.metric, l.ms;

-- Contacts whose row names its own mode: called, and in no experiment.
create view report_apart as
select campaign_id, account_id, mode, count(distinct contact_id) as contacts,
       cast(sum(dialled) as bigint) as attempts, cast(sum(answered) as bigint) as answered,
       cast(sum(human) as bigint) as human, cast(sum(goal) as bigint) as goals
from report_attempts
where own_mode = 1
group by campaign_id, account_id, mode;

-- What played a mode in a run: a hash over script, handling of the call, model and scenario. More than one in a run means
-- that it changed meanwhile.
create table run_bundles
(
    run_id   bigint not null references runs (run_id),
    mode     text   not null,
    bundle   text   not null,
    first_at bigint not null,

    primary key (run_id, mode, bundle)
);

create view report_bundles as
select r.campaign_id, r.account_id, r.ordinal as night, b.mode, b.bundle, b.first_at
from run_bundles b
join runs r on r.run_id = b.run_id
where r.kind = 'campaign';

-- Dials by quarter of an hour (unix milliseconds of its beginning): for hours of the day in any zone.
create view report_hours as
select campaign_id, account_id, night, mode, (dialed_at / 900000) * 900000 as quarter_at,
       cast(sum(dialled) as bigint) as dialled, cast(sum(human) as bigint) as human, cast(sum(goal) as bigint) as goals
from report_attempts
where own_mode = 0 and dialed_at is not null
group by campaign_id, account_id, night, mode, (dialed_at / 900000) * 900000;

-- The funnel: contacts, attempts, answered, by a person, talked, goal.
create view report_funnel as
select c.campaign_id, c.account_id, c.night, c.mode, c.assigned, c.dialled, coalesce(a.attempts, 0) as attempts,
       coalesce(a.answered, 0) as answered, coalesce(a.human, 0) as human, coalesce(a.conversed, 0) as conversed, c.goals
from report_night_contacts c
left join (select campaign_id, account_id, night, mode, cast(sum(dialled) as bigint) as attempts,
                  cast(sum(answered) as bigint) as answered, cast(sum(human) as bigint) as human,
                  cast(sum(case when human = 1 and replies > 0 then 1 else 0 end) as bigint) as conversed
           from report_attempts where own_mode = 0 group by campaign_id, account_id, night, mode) as a
     on a.campaign_id = c.campaign_id and a.account_id = c.account_id and a.night = c.night and a.mode = c.mode;
