-- put_history: what the provider knows of sessions
insert into history (session_id, attempt_id, calls, body, fetched_at, finish_reason, session_s, talk_s, code, reason,
                     cost_micros, costs, log_url)
select cast(p.value ->> 0 as bigint), cast(p.value ->> 1 as bigint), cast(p.value ->> 2 as bigint), p.value ->> 3,
       cast(p.value ->> 4 as bigint), p.value ->> 5, cast(p.value ->> 6 as bigint), cast(p.value ->> 7 as bigint),
       cast(p.value ->> 8 as bigint), p.value ->> 9, cast(p.value ->> 10 as bigint), p.value ->> 11, p.value ->> 12
from json_each($1) as p where true -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
on conflict (session_id) do update
set calls = excluded.calls, body = excluded.body, fetched_at = excluded.fetched_at,
    finish_reason = excluded.finish_reason, session_s = excluded.session_s, talk_s = excluded.talk_s,
    code = excluded.code, reason = excluded.reason, cost_micros = excluded.cost_micros, costs = excluded.costs,
    log_url = excluded.log_url
