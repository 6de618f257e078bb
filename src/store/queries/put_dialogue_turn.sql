-- put_dialogue_turn: the answer to a turn, once
insert into dialogue_turns (attempt_id, turn, text, reply, record, at) values ($1, $2, $3, $4, $5, $6)
on conflict (attempt_id, turn) do nothing
