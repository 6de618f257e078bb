-- count_arms: contacts of a campaign by the arm that they were given; rows with a mode of their own are in none
select mode, count(*) as n
from contacts
where campaign_id = $1 and own_mode = 0
group by mode
order by mode
