-- free_leases: at the start of the only dialling process, nobody else's leases can hold; whoever is leased has a planned
-- attempt, so nobody looks through a million who wait
update run_contacts set leased_until = 0
where leased_until > 0
  and run_contact_id in (select a.run_contact_id
                         from runs r
                         cross join attempts a
                         where r.state in ('running', 'paused') and a.run_id = r.run_id and a.state = 'planned')
