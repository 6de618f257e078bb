-- lease_due: the contacts whose turn it is, taken so that nobody else takes them
update run_contacts
set leased_until = $2
where run_contact_id in (
    select run_contact_id from run_contacts
    where run_id = $1 and due_at is not null and due_at <= $3 and leased_until <= $3
    order by due_at, dial_order
    limit $4
    for update skip locked -- postgres
)
and leased_until <= $3
returning run_contact_id
