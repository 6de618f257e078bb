-- turn_rows: turns of one attempt
select turn, callee_text, agent_text, callee_end_ms, agent_start_ms, turn_ms, method, asr_ms, reply_ms, model_ms, tts_ms,
       filler = 1 as filler, content_ms, interrupted = 1 as interrupted
from turns where attempt_id = $1 order by turn
