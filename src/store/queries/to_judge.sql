-- to_judge: human calls of run $1 behind attempt $2 that rubric $3 has not judged, $4 at most; those whose words are
-- forgotten cannot be judged any more. ToJudge.
select a.attempt_id, c.variables
from attempts a
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join contacts c on c.contact_id = rc.contact_id
where a.run_id = $1 and a.attempt_id > $2 and a.state = 'ended' and a.outcome = 'answered' and c.own_mode = 0
  and not exists (select 1 from judgements j where j.attempt_id = a.attempt_id and j.rubric = $3)
  and (exists (select 1 from turns t where t.attempt_id = a.attempt_id
                                       and (t.callee_text is not null or t.agent_text is not null))
       or not exists (select 1 from turns t where t.attempt_id = a.attempt_id)
       or exists (select 1 from events e where e.attempt_id = a.attempt_id and e.body <> '{}'))
order by a.attempt_id
limit $4
