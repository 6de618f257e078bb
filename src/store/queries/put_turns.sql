-- put_turns: turns as last reported; the final event carries all of them again, long ones without their texts
insert into turns (attempt_id, turn, callee_text, agent_text, callee_end_ms, agent_start_ms, turn_ms, method, asr_ms,
                   reply_ms, model_ms, tts_ms, filler, interrupted, content_ms)
select cast(t.value ->> 0 as bigint), cast(t.value ->> 1 as bigint), t.value ->> 2, t.value ->> 3, cast(t.value ->> 4 as bigint),
       cast(t.value ->> 5 as bigint), cast(t.value ->> 6 as bigint), t.value ->> 7, cast(t.value ->> 8 as bigint),
       cast(t.value ->> 9 as bigint), cast(t.value ->> 10 as bigint), cast(t.value ->> 11 as bigint),
       cast(t.value ->> 12 as bigint), cast(t.value ->> 13 as bigint), cast(t.value ->> 14 as bigint)
from json_each($1) as t where true -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as t (value) -- postgres
on conflict (attempt_id, turn) do update
set callee_text = coalesce(excluded.callee_text, turns.callee_text),
    agent_text = coalesce(excluded.agent_text, turns.agent_text), callee_end_ms = excluded.callee_end_ms,
    agent_start_ms = excluded.agent_start_ms, turn_ms = excluded.turn_ms, method = excluded.method,
    asr_ms = excluded.asr_ms, reply_ms = excluded.reply_ms, model_ms = excluded.model_ms, tts_ms = excluded.tts_ms,
    filler = excluded.filler, interrupted = excluded.interrupted, content_ms = excluded.content_ms
