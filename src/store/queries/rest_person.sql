-- rest_person: contacts that waited and are never called again
update run_contacts
set disposition = 'suppressed', rested_at = $2, due_at = null, gate = null, leased_until = 0
where disposition is null and contact_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
)
returning run_contact_id
