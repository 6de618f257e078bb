-- forget_streams: what tools of a stream were called with
update media_streams set tools = '[]'
where tools <> '[]' and attempt_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
)
