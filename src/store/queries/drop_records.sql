-- drop_records: the ways to these recordings
delete from records where session_id in (
    select h.session_id from history h where h.attempt_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
    )
)
