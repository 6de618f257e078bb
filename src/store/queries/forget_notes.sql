-- forget_notes: cells of erased people; that they were left out stays
update import_notes set raw = ''
where exists (
    select 1
    from json_each($1) as w -- sqlite
    from jsonb_array_elements(cast($1 as jsonb)) as w (value) -- postgres
    where import_notes.batch_id = cast(w.value ->> 0 as bigint) and import_notes.line = cast(w.value ->> 1 as bigint)
)
