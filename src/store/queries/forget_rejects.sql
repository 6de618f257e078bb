-- forget_rejects: rows of erased people; that they were refused stays
update rejects set raw = '', cells = null
where exists (
    select 1
    from json_each($1) as w -- sqlite
    from jsonb_array_elements(cast($1 as jsonb)) as w (value) -- postgres
    where rejects.batch_id = cast(w.value ->> 0 as bigint) and rejects.line = cast(w.value ->> 1 as bigint)
)
