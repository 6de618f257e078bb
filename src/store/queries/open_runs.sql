-- open_runs: the account's running runs with the lines that their attempts hold; who dialled longest ago comes
-- first, so that one run cannot starve the others
select r.run_id, r.campaign_id, cast(coalesce(s.last_slot_us, 0) as bigint) as last_slot_us, r.changed_at, r.ungranted,
       (select count(*) from attempts a where a.run_id = r.run_id and a.state = 'dialing')
     + (select count(*) from attempts a where a.run_id = r.run_id and a.state = 'live' and a.held_until > $2)
     + (select count(*) from attempts a
        join run_contacts c on c.run_contact_id = a.run_contact_id
        where a.run_id = r.run_id and a.state = 'planned' and c.leased_until > $2) as lines_held
from runs r
left join run_slots s on s.run_id = r.run_id
where r.account_id = $1 and r.state in ('running', 'paused') and r.state = 'running'
order by coalesce(s.last_slot_us, 0), r.run_id
