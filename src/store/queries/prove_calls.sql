-- prove_calls: attempts, starts, grants and what the provider's history knows of them
select (select count(*) from attempts a join runs r on r.run_id = a.run_id
        where r.campaign_id = $1) as attempts,
       (select count(*) from attempts a join runs r on r.run_id = a.run_id
        where r.campaign_id = $1 and a.state = 'planned') as planned,
       (select count(*) from attempts a join runs r on r.run_id = a.run_id
        where r.campaign_id = $1 and a.state = 'dialing') as dialing,
       (select count(*) from attempts a join runs r on r.run_id = a.run_id
        where r.campaign_id = $1 and a.state = 'live') as live,
       (select count(*) from attempts a join runs r on r.run_id = a.run_id
        where r.campaign_id = $1 and a.state = 'ended') as ended,
       (select count(*) from attempts a join runs r on r.run_id = a.run_id
        where r.campaign_id = $1 and a.dialed_at is not null) as granted,
       (select count(*) from starts s join attempts a on a.attempt_id = s.attempt_id join runs r on r.run_id = a.run_id
        where r.campaign_id = $1 and s.result is not null) as starts,
       (select count(*) from attempts a join runs r on r.run_id = a.run_id
        where r.campaign_id = $1 and a.session_id is not null
          and not exists (select 1 from history h where h.session_id = a.session_id)) as granted_without_history,
       (select count(*) from attempts a join runs r on r.run_id = a.run_id
        where r.campaign_id = $1 and a.state = 'ended' and a.session_id is not null and a.outcome <> 'lost'
          and r.state = 'completed'
          and not exists (select 1 from history h where h.session_id = a.session_id)) as ended_without_history,
       (select count(*) from history h join attempts a on a.attempt_id = h.attempt_id join runs r on r.run_id = a.run_id
        where r.campaign_id = $1) as sessions_in_history,
       (select cast(coalesce(sum(h.calls), 0) as bigint)
        from history h join attempts a on a.attempt_id = h.attempt_id join runs r on r.run_id = a.run_id
        where r.campaign_id = $1) as calls_in_history,
       (select count(*) from (
            select h.attempt_id from history h join attempts a on a.attempt_id = h.attempt_id
            join runs r on r.run_id = a.run_id
            where r.campaign_id = $1 group by h.attempt_id having sum(h.calls) > 1) as twice) as attempts_called_twice,
       (select count(*) from history h join attempts a on a.attempt_id = h.attempt_id
        join runs r on r.run_id = a.run_id
        where r.campaign_id = $1 and h.calls > 0
          and (a.dialed_at is null or a.session_id is null or a.session_id <> h.session_id)) as calls_without_grant,
       (select count(*) from attempts a join runs r on r.run_id = a.run_id
        join history h on h.session_id = a.session_id
        where r.campaign_id = $1 and a.outcome in ('answered', 'machine') and h.calls = 0) as answered_without_call
