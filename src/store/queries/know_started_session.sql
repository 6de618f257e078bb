-- know_started_session: the session that a start was answered with, asked about from now on
insert into sessions (session_id, attempt_id, account_id, known_at, ask_at)
select cast($1 as bigint), a.attempt_id, r.account_id, cast($3 as bigint), cast($3 as bigint)
from starts s join attempts a on a.attempt_id = s.attempt_id join runs r on r.run_id = a.run_id
where s.token_hash = $2
on conflict (session_id) do nothing
