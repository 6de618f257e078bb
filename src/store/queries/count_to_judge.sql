-- count_to_judge: how many human calls of run $1 rubric $2 has not judged, and of how many the words are forgotten
select count(*) as unjudged,
       cast(coalesce(sum(case when exists (select 1 from turns t where t.attempt_id = a.attempt_id)
                               and not exists (select 1 from turns t
                                               where t.attempt_id = a.attempt_id
                                                 and (t.callee_text is not null or t.agent_text is not null))
                               and not exists (select 1 from events e where e.attempt_id = a.attempt_id and e.body <> '{}')
                         then 1 else 0 end), 0) as bigint) as forgotten
from attempts a
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join contacts c on c.contact_id = rc.contact_id
where a.run_id = $1 and a.state = 'ended' and a.outcome = 'answered' and c.own_mode = 0
  and not exists (select 1 from judgements j where j.attempt_id = a.attempt_id and j.rubric = $2)
