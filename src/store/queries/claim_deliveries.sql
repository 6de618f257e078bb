-- claim_deliveries: those whose turn has come by $1, held until $2 by whoever tells them now
update deliveries set due_at = $2
where delivery_id in (
    select delivery_id from deliveries where due_at is not null and due_at <= $1
    order by due_at, delivery_id
    limit $3
    for update skip locked -- postgres
)
returning delivery_id
