-- sessions_left: of a run, how many sessions the provider still has to tell of
select count(*) from sessions s join attempts a on a.attempt_id = s.attempt_id
where a.run_id = $1 and s.ask_at is not null
