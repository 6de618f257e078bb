-- account_lines: lines of the account that are held: planned under a lease, dialing, live until held_until
select (select count(*) from attempts a join runs r on r.run_id = a.run_id
        where r.account_id = $1 and a.state = 'dialing')
     + (select count(*) from attempts a join runs r on r.run_id = a.run_id
        where r.account_id = $1 and a.state = 'live' and a.held_until > $2)
     + (select count(*) from runs r join attempts a on a.run_id = r.run_id
        join run_contacts c on c.run_contact_id = a.run_contact_id
        where r.account_id = $1 and r.state = 'running' and a.state = 'planned' and c.leased_until > $2) as lines_held
