-- zones_of_campaign: contacts by the zone that they name, and those of them whom nobody may call
select c.timezone, count(*) as contacts, count(n.suppressed_at) as suppressed
from contacts c join numbers n on n.number_id = c.number_id
where c.campaign_id = $1
group by c.timezone order by c.timezone
