-- first_number: of campaign $1, the number of a contact that is in an experiment
select n.e164
from contacts c
join numbers n on n.number_id = c.number_id
where c.campaign_id = $1 and c.own_mode = 0
order by c.contact_id
limit 1
