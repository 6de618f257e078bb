-- holds_of_account: running runs that pause themselves: what is left, and who is under way and may still be counted
select h.run_id, h.hold_after, h.hold_after - h.dialled as contacts_left,
       (select count(*) from attempts a where a.run_id = h.run_id and a.state = 'dialing')
     + (select count(*) from attempts a
        join run_contacts c on c.run_contact_id = a.run_contact_id
        where a.run_id = h.run_id and a.state = 'planned' and c.leased_until > $2) as under_way
from run_holds h
join runs r on r.run_id = h.run_id
where r.account_id = $1 and r.state = 'running'
