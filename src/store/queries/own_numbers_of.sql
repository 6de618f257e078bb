-- own_numbers_of: numbers that these contacts have and nobody else
select n.number_id
from numbers n
where n.number_id in (
    select c.number_id from contacts c where c.contact_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
    )
    union
    select x.number_id from contact_numbers x where x.contact_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
    )
)
and not exists (
    select 1 from contacts c where c.number_id = n.number_id and c.contact_id not in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
    )
)
and not exists (
    select 1 from contact_numbers x where x.number_id = n.number_id and x.contact_id not in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
    )
)
