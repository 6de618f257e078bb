-- people_alike: of the $6 contacts before contact $5, those whose number or name looks like this, the newest first, $7 of
-- them
select c.contact_id, c.campaign_id, g.name as campaign, n.e164, c.name, c.external_id, c.mode,
       n.suppressed_at, rc.disposition, rc.due_at, rc.gate
from (select contact_id from contacts where contact_id < $5 order by contact_id desc limit $6) as near
join contacts c on c.contact_id = near.contact_id
join numbers n on n.number_id = c.number_id
join campaigns g on g.campaign_id = c.campaign_id
left join run_contacts rc on rc.run_contact_id =
    (select max(x.run_contact_id) from run_contacts x where x.contact_id = c.contact_id)
where g.kind = 'campaign'
  and (n.e164 like $1 or lower(c.name) like $2 escape '~' or c.name like $3 escape '~' or c.name like $4 escape '~')
order by c.contact_id desc
limit $7
