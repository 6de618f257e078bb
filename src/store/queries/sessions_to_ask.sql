-- sessions_to_ask: of an account, the sessions whose history is due, longest due first; whoever was asked about in
-- vain goes to the back, so that nobody is passed over for ever
select s.session_id, s.attempt_id, s.known_at, s.waited_ms,
       cast(case when a.state = 'ended' then 0 else 1 end as bigint) as busy,
       cast(case when a.outcome = 'lost' and a.corrected_at is null then 1 else 0 end as bigint) as lost
from sessions s join attempts a on a.attempt_id = s.attempt_id
where s.account_id = $1 and s.ask_at <= $2
order by s.ask_at, s.session_id
limit $3
