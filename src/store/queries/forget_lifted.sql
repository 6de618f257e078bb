-- forget_lifted: why suppressions of these numbers were set and lifted
update lifted_suppressions set suppressed_reason = null, lifted_reason = 'erased'
where number_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
)
