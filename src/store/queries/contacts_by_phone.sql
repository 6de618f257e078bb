-- contacts_by_phone: contacts of campaigns that have this number, the first one or a further one, the newest first;
-- and the state of their newest run
select c.contact_id, c.campaign_id, g.name as campaign,
       (select r.state from run_contacts rc join runs r on r.run_id = rc.run_id
        where rc.contact_id = c.contact_id order by rc.run_contact_id desc limit 1) as run_state
from numbers n
join campaigns g on g.kind = 'campaign'
join contacts c on c.campaign_id = g.campaign_id
                   and (c.number_id = n.number_id
                        or exists (select 1 from contact_numbers x
                                   where x.number_id = n.number_id and x.contact_id = c.contact_id))
where n.e164 = $1
order by c.contact_id desc
limit $2
