-- gates_of_run: what holds contacts, how many, until when
select gate, count(*) as contacts, min(due_at) as opens_at
from run_contacts
where run_id = $1 and due_at > $2 and gate is not null
group by gate order by gate
