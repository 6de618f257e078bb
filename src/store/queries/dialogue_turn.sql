-- dialogue_turn: the answer to a turn
select reply from dialogue_turns where attempt_id = $1 and turn = $2
