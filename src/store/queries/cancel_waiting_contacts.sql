-- cancel_waiting_contacts: contacts of a stopped run with no live call come to rest
update run_contacts
set due_at = null, disposition = 'cancelled', rested_at = $2, leased_until = 0, gate = null
where run_id = $1 and disposition is null
  and not exists (select 1 from attempts a
                  where a.run_contact_id = run_contacts.run_contact_id and a.state = 'live')
