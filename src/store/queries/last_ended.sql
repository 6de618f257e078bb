-- last_ended: the attempts of one arm of a run that ended last, the newest first
select a.outcome, k.source, k.fault, k.first_audio_ms, k.talk_ms
from attempts a left join calls k on k.attempt_id = a.attempt_id
where a.run_id = $1 and a.mode = $2 and a.state = 'ended' and a.ended_at >= $3
order by a.ended_at desc
limit $4
