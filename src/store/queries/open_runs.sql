-- open_runs: the account's running runs with the lines that their attempts hold; who dialled longest ago comes
-- first, so that one run cannot starve the others
select r.run_id, r.campaign_id, r.last_slot_us, r.changed_at, r.ungranted,
       (select count(*) from attempts a where a.run_id = r.run_id and a.state = 'dialing')
     + (select count(*) from attempts a where a.run_id = r.run_id and a.state = 'live' and a.held_until > $2)
     + (select count(*) from attempts a
        join run_contacts c on c.run_contact_id = a.run_contact_id
        where a.run_id = r.run_id and a.state = 'planned' and c.leased_until > $2) as lines_held
from runs r
where r.account_id = $1 and r.state in ('running', 'paused') and r.state = 'running'
order by r.last_slot_us, r.run_id
for update of r -- postgres
