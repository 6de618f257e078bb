-- observed_calls: the ended ones of the attempts $1 that reports count, each with its turns, if a person talked
select a.attempt_id, a.run_id, a.mode, case when a.outcome = 'answered' then true else false end as human,
       coalesce(k.source, '') as source, case when k.fault is null then false else true end as faulty, k.answer_ms,
       k.ring_ms, k.first_audio_ms, k.talk_ms, t.turn, t.turn_ms, t.method, t.asr_ms, t.reply_ms, t.model_ms, t.tts_ms,
       t.filler, t.content_ms
from json_each($1) as w -- sqlite
join attempts a on a.attempt_id = w.value -- sqlite
from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
join attempts a on a.attempt_id = cast(w.value as bigint) -- postgres
join runs r on r.run_id = a.run_id
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join contacts c on c.contact_id = rc.contact_id
left join calls k on k.attempt_id = a.attempt_id
left join turns t on t.attempt_id = a.attempt_id and a.outcome = 'answered'
where a.state = 'ended' and a.outcome in ('answered', 'machine') and r.kind = 'campaign' and c.own_mode = 0
order by a.attempt_id
