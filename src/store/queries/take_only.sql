-- take_only: contacts that came to rest in run $5 with one of these outcomes
insert into run_contacts (run_contact_id, run_id, contact_id, number_id, mode, dial_order, due_at)
select $3 + row_number() over (order by c.dial_order, c.contact_id), $1, c.contact_id, c.number_id, c.mode, c.dial_order, $4
from run_contacts p
join contacts c on c.contact_id = p.contact_id
where p.run_id = $5 and c.campaign_id = $2
  and p.disposition in (select value from json_each($6)) -- sqlite
  and p.disposition in (select value from json_array_elements_text(cast($6 as json)) as o (value)) -- postgres
