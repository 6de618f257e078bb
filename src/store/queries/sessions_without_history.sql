-- sessions_without_history: every session of a run that the provider's history was not yet asked about
select s.session_id, min(s.attempt_id) as attempt_id, min(s.busy) as busy
from (select st.session_id, st.attempt_id, cast(case when a.state = 'ended' then 0 else 1 end as bigint) as busy
      from starts st join attempts a on a.attempt_id = st.attempt_id
      where a.run_id = $1 and st.session_id is not null
      union all
      select a.session_id, a.attempt_id, cast(case when a.state = 'ended' then 0 else 1 end as bigint)
      from attempts a
      where a.run_id = $1 and a.session_id is not null
      union all
      select e.session_id, e.attempt_id, cast(case when a.state = 'ended' then 0 else 1 end as bigint)
      from events e join attempts a on a.attempt_id = e.attempt_id
      where a.run_id = $1 and e.session_id > 0) as s
where not exists (select 1 from history h where h.session_id = s.session_id)
group by s.session_id
order by s.session_id
limit $2
