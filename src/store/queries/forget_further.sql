-- forget_further: their further numbers, by which they could be rung
delete from contact_numbers
where contact_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
)
