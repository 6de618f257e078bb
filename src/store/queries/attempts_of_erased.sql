-- attempts_of_erased: attempts of people who were erased since then, of which something is left
select a.attempt_id
from erased_numbers e
join attempts a on a.number_id = e.number_id
where e.erased_at >= $1
  and (exists (select 1 from events v where v.attempt_id = a.attempt_id and v.body <> '{}')
       or exists (select 1 from turns t where t.attempt_id = a.attempt_id
                  and (t.callee_text is not null or t.agent_text is not null))
       or exists (select 1 from history h where h.attempt_id = a.attempt_id
                  and (h.body <> '{}' or h.log_url is not null))
       or exists (select 1 from dialogue_turns d where d.attempt_id = a.attempt_id and d.record <> '{}')
       or exists (select 1 from history h join records r on r.session_id = h.session_id
                  where h.attempt_id = a.attempt_id))
