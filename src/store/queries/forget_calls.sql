-- forget_calls: answers of the callee
update calls set answers = null
where answers is not null and attempt_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
)
