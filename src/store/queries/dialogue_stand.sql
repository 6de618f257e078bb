-- dialogue_stand: a turn and its answer, or the last turn before it and the record so far
select turn, reply, record from dialogue_turns where attempt_id = $1 and turn <= $2 order by turn desc limit 1
