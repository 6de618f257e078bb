-- forget_dialogue: what both sides said, by our own record
update dialogue_turns set text = '', reply = '', record = '{}', tools = null, verdict = null, trouble = null
where record <> '{}' and attempt_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
)
