-- cancel_untried_contacts: contacts of a draining run that were never called come to rest
update run_contacts
set due_at = null, disposition = 'cancelled', rested_at = $2, leased_until = 0, gate = null
where run_id = $1 and disposition is null
  and not exists (select 1 from attempts t
                  where t.run_contact_id = run_contacts.run_contact_id
                    and (t.state = 'live' or (t.state = 'ended' and t.outcome not in ('cancelled', 'expired', 'suppressed'))))
