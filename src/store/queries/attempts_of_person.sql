-- attempts_of_person: every try at these contacts and these numbers
select a.attempt_id
from attempts a
where a.number_id in (
    select cast(w.value as bigint)
    from json_each($2) as w -- sqlite
    from json_array_elements_text(cast($2 as json)) as w (value) -- postgres
)
or a.run_contact_id in (
    select rc.run_contact_id from run_contacts rc where rc.contact_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
    )
)
