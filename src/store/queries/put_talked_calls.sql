-- put_talked_calls: of the attempts $1, those that are human calls with turns, by contact; known already: nothing changes
insert into talked_calls (campaign_id, contact_id, attempt_id, run_id)
select r.campaign_id, rc.contact_id, a.attempt_id, a.run_id
from json_each($1) as w -- sqlite
join attempts a on a.attempt_id = w.value -- sqlite
from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
join attempts a on a.attempt_id = cast(w.value as bigint) -- postgres
join runs r on r.run_id = a.run_id
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join contacts c on c.contact_id = rc.contact_id
where a.state = 'ended' and a.outcome = 'answered' and r.kind = 'campaign' and c.own_mode = 0
  and exists (select 1 from turns t where t.attempt_id = a.attempt_id and (t.turn_ms is null or t.turn_ms >= 0))
order by 1, 2, 3
on conflict (campaign_id, contact_id, attempt_id) do nothing
