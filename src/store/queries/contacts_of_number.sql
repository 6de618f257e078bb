-- contacts_of_number: everybody of any campaign who is rung at the number of contact $1, the newest first
select c.contact_id, c.campaign_id, g.name as campaign, n.e164, c.name, c.external_id, c.mode,
       n.suppressed_at, rc.disposition, rc.due_at, rc.gate, c.timezone, c.line, c.variables,
       c.consent_kind, c.consent_at, c.consent_source
from contacts c
join numbers n on n.number_id = c.number_id
join campaigns g on g.campaign_id = c.campaign_id
left join run_contacts rc on rc.run_contact_id =
    (select max(x.run_contact_id) from run_contacts x where x.contact_id = c.contact_id)
where c.number_id = (select o.number_id from contacts o where o.contact_id = $1)
  and (g.kind = 'campaign' or c.contact_id = $1)
order by c.contact_id desc
limit $2
