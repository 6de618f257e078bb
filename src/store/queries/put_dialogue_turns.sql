-- put_dialogue_turns: answers to turns, each once; those that were new are returned
insert into dialogue_turns (attempt_id, turn, text, reply, record, at, replier, requests, first_ms, model_ms, tokens_in,
                            tokens_cached, tokens_out, cost_micros, tools, verdict, trouble, fault)
select cast(d.value ->> 0 as bigint), cast(d.value ->> 1 as bigint), d.value ->> 2, d.value ->> 3, d.value ->> 4,
       cast(d.value ->> 5 as bigint), d.value ->> 6, cast(d.value ->> 7 as bigint), cast(d.value ->> 8 as bigint),
       cast(d.value ->> 9 as bigint), cast(d.value ->> 10 as bigint), cast(d.value ->> 11 as bigint),
       cast(d.value ->> 12 as bigint), cast(d.value ->> 13 as bigint), d.value ->> 14, d.value ->> 15, d.value ->> 16,
       d.value ->> 17
from json_each($1) as d where true -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as d (value) -- postgres
on conflict (attempt_id, turn) do nothing
returning attempt_id, turn
