-- latency_contributions: what the ended ones of the attempts $1 add to latency_counts; the view report_observations, asked
-- for these alone
with answered as
(
    select a.attempt_id, a.run_id, a.mode, case when a.outcome = 'answered' then 'human' else 'machine' end as class,
           k.source, k.answer_ms, k.ring_ms, k.first_audio_ms, k.talk_ms
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
observed as
(
    select run_id, mode, 'answer_ms' as metric, class, '' as method, 0 as later, answer_ms as ms
    from answered where answer_ms is not null
    union all
    select run_id, mode, 'ring_ms', class, '', 0, ring_ms from answered where ring_ms is not null
    union all
    select run_id, mode, 'first_audio_ms', class, '', 0, coalesce(first_audio_ms, -1)
    from answered where class = 'human' and source = 'event'
    union all
    select run_id, mode, 'talk_ms', class, '', 0, talk_ms
    from answered where class = 'human' and talk_ms is not null
    union all
    select h.run_id, h.mode, 'turn_ms', h.class, t.method, case when t.turn = 1 then 0 else 1 end,
           coalesce(t.turn_ms, -1)
    from answered h
    join turns t on t.attempt_id = h.attempt_id
    where h.class = 'human' and (t.turn_ms is null or t.turn_ms >= 0)
)
select run_id, mode, metric, class, method, cast(later as bigint) as later, ms, count(*) as n
from observed
group by run_id, mode, metric, class, method, later, ms
