-- take_unreached: contacts whom no earlier run at this account reached or is just calling, and who may be called
insert into run_contacts (run_contact_id, run_id, contact_id, number_id, mode, dial_order, due_at)
select $3 + row_number() over (order by c.dial_order, c.contact_id), $1, c.contact_id, c.number_id, c.mode, c.dial_order, $4
from contacts c
join numbers n on n.number_id = c.number_id
where c.campaign_id = $2
  and (n.suppressed_at is null
       or exists (select 1 from contact_numbers x join numbers o on o.number_id = x.number_id
                  where x.contact_id = c.contact_id and o.suppressed_at is null))
  and not exists (select 1 from run_contacts p
                  join runs q on q.run_id = p.run_id
                  join attempts a on a.run_contact_id = p.run_contact_id
                  where p.contact_id = c.contact_id
                    and q.account_id = (select account_id from runs where run_id = $1)
                    and (a.outcome = 'answered' or a.state = 'live'))
