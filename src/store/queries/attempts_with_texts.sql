-- attempts_with_texts: ended before then, with words that are left
select a.attempt_id
from attempts a
where a.state = 'ended' and a.ended_at < $1
  and (exists (select 1 from events v where v.attempt_id = a.attempt_id and v.body <> '{}')
       or exists (select 1 from turns t where t.attempt_id = a.attempt_id
                  and (t.callee_text is not null or t.agent_text is not null))
       or exists (select 1 from calls k where k.attempt_id = a.attempt_id and k.answers is not null)
       or exists (select 1 from history h where h.attempt_id = a.attempt_id and (h.body <> '{}' or h.log_url is not null))
       or exists (select 1 from dialogue_turns d where d.attempt_id = a.attempt_id and d.record <> '{}'))
limit $2
