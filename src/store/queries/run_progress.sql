-- run_progress: where the contacts of a run stand
select (select count(*) from run_contacts c where c.run_id = $1) as contacts,
       (select count(*) from run_contacts c where c.run_id = $1 and c.disposition is not null) as rested,
       (select count(*) from run_contacts c
        where c.run_id = $1 and c.due_at is not null and c.gate = 'retry_delay') as retries_waiting,
       (select count(*) from run_contacts c
        where c.run_id = $1 and c.due_at is not null and (c.gate is null or c.gate <> 'retry_delay')) as waiting,
       (select count(*) from attempts a where a.run_id = $1 and a.state = 'dialing') as dialing,
       (select count(*) from attempts a where a.run_id = $1 and a.state = 'live') as live,
       (select count(*) from attempts a where a.run_id = $1 and a.state = 'ended') as ended
