-- put_call: the calls of attempts; an event's word stands above history's
insert into calls (attempt_id, session_id, source, code, reason, hung_up_by, goal, answers, fault, machine, answer_ms,
                   ring_ms, first_audio_ms, first_audio_method, talk_ms, cost_micros, recorded)
select cast(p.value ->> 0 as bigint), cast(p.value ->> 1 as bigint), p.value ->> 2, cast(p.value ->> 3 as bigint),
       p.value ->> 4, p.value ->> 5, cast(p.value ->> 6 as bigint), p.value ->> 7, p.value ->> 8,
       cast(p.value ->> 9 as bigint), cast(p.value ->> 10 as bigint), cast(p.value ->> 11 as bigint),
       cast(p.value ->> 12 as bigint), p.value ->> 13, cast(p.value ->> 14 as bigint),
       cast(p.value ->> 15 as bigint), cast(p.value ->> 16 as bigint)
from json_each($1) as p where true -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
on conflict (attempt_id) do update
set session_id = excluded.session_id, source = excluded.source, code = excluded.code, reason = excluded.reason,
    hung_up_by = excluded.hung_up_by, goal = excluded.goal, answers = excluded.answers, fault = excluded.fault,
    machine = excluded.machine, answer_ms = excluded.answer_ms, ring_ms = excluded.ring_ms,
    first_audio_ms = excluded.first_audio_ms, first_audio_method = excluded.first_audio_method,
    talk_ms = excluded.talk_ms, cost_micros = coalesce(excluded.cost_micros, calls.cost_micros),
    recorded = coalesce(excluded.recorded, calls.recorded)
where excluded.source = 'event' or calls.source = 'history'
