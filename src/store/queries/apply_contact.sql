-- apply_contact: where the run contact stands now
update run_contacts
set due_at = $2, gate = $3, disposition = $4, rested_at = $5, leased_until = 0
where run_contact_id = $1
