-- next_due: when the next contact of a run is to be called
select min(due_at) from run_contacts where run_id = $1 and due_at is not null
