-- apply_contact: where the run contact stands now; what waits for another try has been tried
update run_contacts
set due_at = $2, gate = $3, disposition = $4, rested_at = $5, leased_until = 0,
    tried = case when $3 in ('retry_delay', 'callback') then 1 else tried end
where run_contact_id = $1
