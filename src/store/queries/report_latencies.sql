-- report_latencies: of campaign $1 at account $2, how often each whole millisecond occurred: an exact sketch from
-- which every percentile is read. A null value is a wait without end (no agent audio in a call that the session
-- itself told of). answer_ms and ring_ms are over answered attempts, the rest over human calls. LatencyRow.
with answered as
(
    select a.attempt_id, r.ordinal as night, a.mode, a.outcome, k.source, k.answer_ms, k.ring_ms, k.first_audio_ms,
           k.talk_ms
    from attempts a
    join runs r on r.run_id = a.run_id
    join run_contacts rc on rc.run_contact_id = a.run_contact_id
    join contacts c on c.contact_id = rc.contact_id
    join calls k on k.attempt_id = a.attempt_id
    where r.campaign_id = $1 and r.account_id = $2 and r.kind = 'campaign' and c.own_mode = 0
      and a.state = 'ended' and a.outcome in ('answered', 'machine')
),
observed as
(
    select night, mode, 'answer_ms' as metric, answer_ms as value_ms from answered where answer_ms is not null
    union all
    select night, mode, 'ring_ms', ring_ms from answered where ring_ms is not null
    union all
    select night, mode, 'first_audio_ms', first_audio_ms from answered where outcome = 'answered' and source = 'event'
    union all
    select night, mode, 'talk_ms', talk_ms from answered where outcome = 'answered' and talk_ms is not null
    union all
    select h.night, h.mode, 'turn_ms', t.turn_ms
    from answered h
    join turns t on t.attempt_id = h.attempt_id
    where h.outcome = 'answered' and t.turn_ms >= 0
)
select night, mode, metric, value_ms, count(*) as n
from observed
group by night, mode, metric, value_ms
order by night, mode, metric, value_ms
