-- contacts_by_external_id: contacts of campaigns that go by this name elsewhere, the newest first, and the state of
-- their newest run
select c.contact_id, c.campaign_id, g.name as campaign,
       (select r.state from run_contacts rc join runs r on r.run_id = rc.run_id
        where rc.contact_id = c.contact_id order by rc.run_contact_id desc limit 1) as run_state
from contacts c join campaigns g on g.campaign_id = c.campaign_id
where c.external_id is not null and c.external_id = $1 and g.kind = 'campaign'
order by c.contact_id desc
limit $2
