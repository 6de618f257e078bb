-- metrics_due: contacts of account $1's running runs whose turn has come by $2 and whom nobody has leased: how many, and
-- since when the first of them waits
select count(*) as contacts, min(c.due_at) as since_at
from run_contacts c join runs r on r.run_id = c.run_id
where r.account_id = $1 and r.state in ('running', 'paused') and r.state = 'running'
  and c.due_at is not null and c.due_at <= $2 and c.leased_until <= $2
