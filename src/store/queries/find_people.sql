-- find_people: contacts whose number or name looks like this, or that go by this name elsewhere; the newest first
select c.contact_id, c.campaign_id, g.name as campaign, n.e164, c.name, c.external_id, c.mode,
       n.suppressed_at, rc.disposition, rc.due_at, rc.gate
from contacts c
join numbers n on n.number_id = c.number_id
join campaigns g on g.campaign_id = c.campaign_id
left join run_contacts rc on rc.run_contact_id =
    (select max(x.run_contact_id) from run_contacts x where x.contact_id = c.contact_id)
where g.kind = 'campaign'
  and (n.e164 like $1 or lower(c.name) like $2 escape '~' or c.name like $3 escape '~' or c.name like $4 escape '~'
       or c.external_id = $5)
order by c.contact_id desc
limit $6
