-- exported_turns: every reply of a campaign, by attempt and turn
select t.attempt_id, rc.contact_id, t.turn, a.mode, t.callee_text, t.agent_text, t.callee_end_ms, t.agent_start_ms,
       t.turn_ms, t.method, t.asr_ms, t.reply_ms, t.model_ms, t.tts_ms, t.filler, t.interrupted
from turns t
join attempts a on a.attempt_id = t.attempt_id
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join runs r on r.run_id = a.run_id
where r.campaign_id = $1 and (t.attempt_id > $2 or (t.attempt_id = $2 and t.turn > $3))
order by t.attempt_id, t.turn
limit $4
