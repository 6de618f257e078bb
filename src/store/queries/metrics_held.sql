-- metrics_held: contacts of account $1's running runs whose turn comes after $2, by what holds them
select coalesce(c.gate, 'none') as gate, count(*) as contacts
from run_contacts c join runs r on r.run_id = c.run_id
where r.account_id = $1 and r.state in ('running', 'paused') and r.state = 'running' and c.due_at is not null and c.due_at > $2
group by coalesce(c.gate, 'none')
