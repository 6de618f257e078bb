-- take_next: the next contacts of the list that no earlier run at this account took
insert into run_contacts (run_contact_id, run_id, contact_id, number_id, mode, dial_order, due_at)
select $3 + row_number() over (order by line, contact_id), $1, contact_id, number_id, mode, dial_order, $4
from (select c.contact_id, c.number_id, c.mode, c.dial_order, c.line
      from contacts c
      where c.campaign_id = $2
        and not exists (select 1 from run_contacts p join runs q on q.run_id = p.run_id
                        where p.contact_id = c.contact_id
                          and q.account_id = (select account_id from runs where run_id = $1))
      order by c.batch_id, c.line
      limit $5) as next
