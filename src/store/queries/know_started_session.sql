-- know_started_session: the sessions that starts were answered with, asked about from now on
insert into sessions (session_id, attempt_id, account_id, known_at, ask_at)
select cast(p.value ->> 0 as bigint), a.attempt_id, r.account_id, cast(p.value ->> 2 as bigint),
       cast(p.value ->> 2 as bigint)
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
join starts s on s.token_hash = p.value ->> 1
join attempts a on a.attempt_id = s.attempt_id
join runs r on r.run_id = a.run_id
where true
on conflict (session_id) do nothing
