-- dialogue_turn: what was answered to this turn
select reply, record from dialogue_turns where attempt_id = $1 and turn = $2
