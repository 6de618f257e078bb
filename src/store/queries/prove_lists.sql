-- prove_lists: the lists of campaign $1, and by what their arms were given
select i.batch_id, i.ordinal, c.salt, i.split
from imports i
join campaigns c on c.campaign_id = i.campaign_id
where i.campaign_id = $1
order by i.ordinal
