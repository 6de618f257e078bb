-- prove_contacts: contacts of each run: all of them accounted for, none over the cap
select r.run_id, r.ordinal, r.state,
       (select count(*) from run_contacts c where c.run_id = r.run_id) as contacts,
       (select count(*) from run_contacts c where c.run_id = r.run_id and c.disposition is not null) as rested,
       (select count(*) from run_contacts c where c.run_id = r.run_id and c.due_at is not null) as waiting,
       (select count(*) from run_contacts c
        where c.run_id = r.run_id and c.disposition is null and c.due_at is null
          and exists (select 1 from attempts a
                      where a.run_contact_id = c.run_contact_id and a.state in ('dialing', 'live'))) as busy,
       (select coalesce(max(t.tries), 0) from (
            select count(*) as tries from attempts a
            where a.run_id = r.run_id and a.dialed_at is not null and coalesce(a.outcome, '') <> 'no_funds'
            group by a.run_contact_id) as t) as tries_max
from runs r where r.campaign_id = $1 order by r.ordinal
