-- forget_contacts: what a list told of these contacts; their place and their arm stay, and nobody calls them by any number
update contacts
set name = null, external_id = null, variables = '{}', raw_phone = '', consent_source = null, not_after_at = $2
where contact_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
)
