-- know_session: a session that was not known yet, and is asked about from now on
insert into sessions (session_id, attempt_id, account_id, known_at, ask_at)
select cast($1 as bigint), a.attempt_id, r.account_id, cast($3 as bigint), cast($3 as bigint)
from attempts a join runs r on r.run_id = a.run_id
where a.attempt_id = $2
on conflict (session_id) do nothing
