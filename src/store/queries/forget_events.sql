-- forget_events: bodies of events; that they came stays
update events set body = '{}'
where body <> '{}' and attempt_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
)
