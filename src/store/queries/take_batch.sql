-- take_batch: the contacts of one list into a run
insert into run_contacts (run_contact_id, run_id, contact_id, number_id, mode, dial_order, due_at)
select $3 + row_number() over (order by c.dial_order, c.contact_id), $1, c.contact_id, c.number_id, c.mode, c.dial_order, $4
from contacts c
where c.batch_id = $2
