-- know_session: sessions that were not known yet, and are asked about from now on
insert into sessions (session_id, attempt_id, account_id, known_at, ask_at)
select cast(p.value ->> 0 as bigint), a.attempt_id, r.account_id, cast(p.value ->> 2 as bigint),
       cast(p.value ->> 2 as bigint)
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
join attempts a on a.attempt_id = cast(p.value ->> 1 as bigint)
join runs r on r.run_id = a.run_id
where true
on conflict (session_id) do nothing
