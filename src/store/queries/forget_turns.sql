-- forget_turns: what both sides said, by what sessions told
update turns set callee_text = null, agent_text = null
where (callee_text is not null or agent_text is not null) and attempt_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
)
