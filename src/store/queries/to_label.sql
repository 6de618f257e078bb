-- to_label: human calls of run $1 whose words are kept, with what a person found in them. ToLabel.
select a.attempt_id, a.mode, l.goal as label
from attempts a
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join contacts c on c.contact_id = rc.contact_id
left join labels l on l.attempt_id = a.attempt_id
where a.run_id = $1 and a.state = 'ended' and a.outcome = 'answered' and c.own_mode = 0
  and exists (select 1 from turns t where t.attempt_id = a.attempt_id
                                      and (t.callee_text is not null or t.agent_text is not null))
order by a.attempt_id
