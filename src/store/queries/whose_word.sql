-- whose_word: which session speaks for attempts, and whether their runs count calls that were not made
select a.attempt_id, a.session_id, cast(case when r.not_dialled > 0 then 1 else 0 end as bigint) as counted,
       cast(case when a.state = 'ended' then 1 else 0 end as bigint) as ended, a.run_contact_id
from attempts a
join json_each($1) as wanted on wanted.value = a.attempt_id -- sqlite
join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = a.attempt_id -- postgres
join runs r on r.run_id = a.run_id
