-- prove_arms: contacts of list $1 in the experiment, and their arms
select n.e164, c.mode
from contacts c
join numbers n on n.number_id = c.number_id
where c.batch_id = $1 and c.own_mode = 0
