-- put_dialogue_turn: the answer to a turn, once
insert into dialogue_turns (attempt_id, turn, text, reply, record, at, replier, requests, first_ms, model_ms, tokens_in,
                            tokens_cached, tokens_out, cost_micros, tools, verdict, trouble, fault)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
on conflict (attempt_id, turn) do nothing
returning reply
