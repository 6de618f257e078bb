-- transcripts: the words of the attempts $1 and nothing else of them. SpokenTurn.
select t.attempt_id, t.callee_text, t.agent_text
from turns t
where t.attempt_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
)
order by t.attempt_id, t.turn
