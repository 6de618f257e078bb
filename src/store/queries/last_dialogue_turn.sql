-- last_dialogue_turn: the record so far
select turn, record from dialogue_turns where attempt_id = $1 and turn < $2 order by turn desc limit 1
