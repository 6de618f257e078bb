-- contacts_by_phone: contacts of campaigns that have this number, the first one or a further one, the newest first;
-- and the state of their newest run. Each campaign is asked for the number: no list is read.
select c.contact_id, c.campaign_id, g.name as campaign,
       (select r.state from run_contacts rc join runs r on r.run_id = rc.run_id
        where rc.contact_id = c.contact_id order by rc.run_contact_id desc limit 1) as run_state
from (select first.contact_id
      from numbers n
      cross join campaigns of_list
      join contacts first on first.campaign_id = of_list.campaign_id and first.number_id = n.number_id
      where n.e164 = $1 and of_list.kind = 'campaign'
      union
      select further.contact_id
      from numbers n join contact_numbers further on further.number_id = n.number_id
      where n.e164 = $1) as named
join contacts c on c.contact_id = named.contact_id
join campaigns g on g.campaign_id = c.campaign_id
where g.kind = 'campaign'
order by c.contact_id desc
limit $2
