-- attempt_story: one attempt with its run, what holds it back, and its call
select a.attempt_id, a.run_id, r.campaign_id, r.kind as run_kind, r.state as run_state, r.state_reason as run_reason,
       rc.contact_id, rc.due_at, rc.gate, n.e164, a.try_number, a.mode, a.caller_id, a.planned_at, a.state, a.slot_us,
       a.dialed_at, a.session_id, a.held_until, a.ended_at, a.callback_at, a.outcome, a.evidence, a.told,
       k.source, k.code, k.reason, k.hung_up_by, k.goal, k.answers, k.fault, k.machine, k.answer_ms, k.ring_ms,
       k.first_audio_ms, k.first_audio_method, k.talk_ms, k.cost_micros
from attempts a
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join numbers n on n.number_id = a.number_id
join runs r on r.run_id = a.run_id
left join calls k on k.attempt_id = a.attempt_id
where a.attempt_id = $1
