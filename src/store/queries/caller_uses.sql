-- caller_uses: how often each of these caller ids was used at the account since an instant of its own: calls that were
-- granted, and starts that may become one
select w.value ->> 0 as e164,
       (select count(*) from attempts a join runs r on r.run_id = a.run_id
        where a.caller_id = w.value ->> 0 and a.dialed_at is not null
          and a.dialed_at >= cast(w.value ->> 1 as bigint) and r.account_id = $2)
     + (select count(*) from attempts a join runs r on r.run_id = a.run_id
        join run_contacts c on c.run_contact_id = a.run_contact_id
        where a.caller_id = w.value ->> 0 and a.state in ('planned', 'dialing')
          and (a.state = 'dialing' or c.leased_until > $3) and r.account_id = $2) as uses
from json_each($1) as w -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as w (value) -- postgres
