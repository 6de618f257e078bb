-- rest_suppressed: contacts of these numbers that wait with a planned attempt come to rest; whoever has
-- further numbers is looked at by the planner
update run_contacts
set disposition = 'suppressed', rested_at = $2, due_at = null, gate = null, leased_until = 0
where disposition is null and run_contact_id in (
    select a.run_contact_id
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
    join numbers n on n.e164 = w.value
    join attempts a on a.number_id = n.number_id and a.state = 'planned'
    join run_contacts x on x.run_contact_id = a.run_contact_id
    where not exists (select 1 from contact_numbers more where more.contact_id = x.contact_id)
)
returning run_contact_id
