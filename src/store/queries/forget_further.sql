-- forget_further: their further numbers as they were typed
update contact_numbers set raw_phone = ''
where contact_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
)
