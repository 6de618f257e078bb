-- put_call: the call of an attempt; an event's word stands above history's
insert into calls (attempt_id, session_id, source, code, reason, hung_up_by, goal, answers, fault, machine, answer_ms,
                   ring_ms, first_audio_ms, first_audio_method, talk_ms, cost_micros, recorded)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
on conflict (attempt_id) do update
set session_id = excluded.session_id, source = excluded.source, code = excluded.code, reason = excluded.reason,
    hung_up_by = excluded.hung_up_by, goal = excluded.goal, answers = excluded.answers, fault = excluded.fault,
    machine = excluded.machine, answer_ms = excluded.answer_ms, ring_ms = excluded.ring_ms,
    first_audio_ms = excluded.first_audio_ms, first_audio_method = excluded.first_audio_method,
    talk_ms = excluded.talk_ms, cost_micros = coalesce(excluded.cost_micros, calls.cost_micros),
    recorded = coalesce(excluded.recorded, calls.recorded)
where excluded.source = 'event' or calls.source = 'history'
