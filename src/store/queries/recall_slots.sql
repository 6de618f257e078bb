-- recall_slots: leases of planned attempts end, so that nobody leaves at a slot of the pace before
update run_contacts set leased_until = 0
where leased_until > $2
  and run_contact_id in (select a.run_contact_id from attempts a join runs r on r.run_id = a.run_id
                         where r.account_id = $1 and a.state = 'planned')
