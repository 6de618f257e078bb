-- waits_by_span: contacts of run $1 whose turn comes after $2, by spans of $3 milliseconds and what holds them
select (due_at - $2) / $3 as span, gate, count(*) as contacts
from run_contacts
where run_id = $1 and due_at > $2 and gate is not null
group by 1, 2 order by 1, 2
