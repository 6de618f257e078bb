-- people_looked_at: the $2 contacts before contact $1: how many there are, and the last of them
select count(*) as contacts, min(contact_id) as last
from (select contact_id from contacts where contact_id < $1 order by contact_id desc limit $2) as near
