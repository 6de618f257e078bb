-- call_happenings: attempts of the modes $3 that ended since $1, of which nobody was told
select a.attempt_id, a.run_id, a.mode, a.outcome, a.ended_at, a.try_number, c.contact_id, c.external_id, n.e164,
       g.campaign_id, g.name as campaign, l.goal, l.talk_ms, l.answers
from runs r
cross join json_each($3) as m                                                                  -- sqlite
cross join json_array_elements_text(cast($3 as json)) as m(value)                               -- postgres
join attempts a on a.run_id = r.run_id and a.mode = m.value and a.state = 'ended' and a.ended_at >= $1
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join contacts c on c.contact_id = rc.contact_id
join numbers n on n.number_id = a.number_id
join campaigns g on g.campaign_id = r.campaign_id
left join calls l on l.attempt_id = a.attempt_id
where (r.ended_at is null or r.ended_at >= $1)
  and not exists (select 1 from notices k where k.source = 'call:' || cast(a.attempt_id as text))
order by a.ended_at, a.attempt_id
limit $2
