-- forget_judgements: what judges wrote of the words; what they found stays counted
update judgements set why = '{}'
where why <> '{}' and attempt_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
)
