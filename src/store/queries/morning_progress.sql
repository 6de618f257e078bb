-- morning_progress: the run's state, its contacts, and how many of them rest
select r.ordinal, r.state, r.state_reason, r.started_at, r.ended_at,
       (select count(*) from run_contacts c where c.run_id = r.run_id) as contacts,
       (select count(*) from run_contacts c where c.run_id = r.run_id and c.disposition is not null) as rested
from runs r where r.run_id = $1
