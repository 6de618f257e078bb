-- latency_contributions: what the ended ones of the attempts $1 add to latency_counts; the view report_observations, asked
-- for these alone
with answered as
(
    select a.attempt_id, a.run_id, a.mode, case when a.outcome = 'answered' then 'human' else 'machine' end as class,
           k.source, k.fault, k.answer_ms, k.ring_ms, k.first_audio_ms, k.talk_ms
    from json_each($1) as w -- sqlite
    join attempts a on a.attempt_id = w.value -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
    join attempts a on a.attempt_id = cast(w.value as bigint) -- postgres
    join runs r on r.run_id = a.run_id
    join run_contacts rc on rc.run_contact_id = a.run_contact_id
    join contacts c on c.contact_id = rc.contact_id
    left join calls k on k.attempt_id = a.attempt_id
    where a.state = 'ended' and a.outcome in ('answered', 'machine') and r.kind = 'campaign' and c.own_mode = 0
),
stages as
(
    select h.run_id, h.mode, h.class, t.asr_ms, t.reply_ms, t.model_ms, t.tts_ms, t.filler, t.turn_ms, t.content_ms
    from answered h
    join turns t on t.attempt_id = h.attempt_id
    where h.class = 'human'
),
ranked as
(
    select h.run_id, h.mode, h.class, h.attempt_id, h.fault, t.turn, t.turn_ms, t.method,
           row_number() over (partition by h.attempt_id
                              order by case when t.turn_ms is null then 1 else 0 end, t.turn_ms, t.turn) as place,
           count(t.turn_ms) over (partition by h.attempt_id) as answered,
           count(*) over (partition by h.attempt_id) as told
    from answered h
    join turns t on t.attempt_id = h.attempt_id
    where h.class = 'human' and (t.turn_ms is null or t.turn_ms >= 0)
),
medians as
(
    select run_id, mode, class, fault, answered,
           max(case method when 'recording' then 0 when 'vad' then 1 when 'event_corrected' then 2 else 3 end) as ruler,
           sum(case when place = (answered + 1) / 2 then turn_ms else 0 end)
               + sum(case when place = (answered + 2) / 2 then turn_ms else 0 end) as half_ms,
           case when (told + 2) / 2 > answered then -1
                else sum(case when place = (told + 1) / 2 then turn_ms else 0 end)
                     + sum(case when place = (told + 2) / 2 then turn_ms else 0 end) end as half_ms_of_all
    from ranked
    group by run_id, mode, class, attempt_id, fault, answered, told
),
observed as
(
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
    select run_id, mode, 'turn_ms', class, method, case when turn = 1 then 0 else 1 end, coalesce(turn_ms, -1),
           case when turn_ms is null then 0 else 2 * place - 1 end, case when turn_ms is null then 0 else answered end
    from ranked
    union all
    select run_id, mode, 'call_turn_half_ms', class,
           case ruler when 0 then 'recording' when 1 then 'vad' when 2 then 'event_corrected' else 'event' end, 0,
           half_ms, 0, 0
    from medians where answered > 0
    union all
    select run_id, mode, 'call_turn_faulty_half_ms', class, '', 0, half_ms, 0, 0
    from medians where answered > 0 and fault is not null
    union all
    select run_id, mode, 'call_turn_all_half_ms', class,
           case ruler when 0 then 'recording' when 1 then 'vad' when 2 then 'event_corrected' else 'event' end, 0,
           half_ms_of_all, 0, 0
    from medians
    union all
    select run_id, mode, 'asr_ms', class, '', 0, asr_ms, 0, 0 from stages where asr_ms >= 0
    union all
    select run_id, mode, 'reply_ms', class, '', 0, reply_ms, 0, 0 from stages where reply_ms >= 0
    union all
    select run_id, mode, 'model_ms', class, '', 0, model_ms, 0, 0 from stages where model_ms >= 0
    union all
    select run_id, mode, 'tts_ms', class, '', 0, tts_ms, 0, 0 from stages where tts_ms >= 0
    union all
    select run_id, mode, 'filler_turn_ms', class, '', 0, turn_ms, 0, 0 from stages where filler = 1 and turn_ms >= 0
    union all
    select run_id, mode, 'filler_content_ms', class, '', 0, content_ms, 0, 0
    from stages where filler = 1 and content_ms >= 0
)
select run_id, mode, metric, class, method, cast(later as bigint) as later, cast(ms as bigint) as ms, count(*) as n,
       cast(sum(ranks) as bigint) as ranks, cast(sum(sizes) as bigint) as sizes
from observed
group by run_id, mode, metric, class, method, later, ms
