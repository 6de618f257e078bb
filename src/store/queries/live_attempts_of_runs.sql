-- live_attempts_of_runs: calls of runs that are under way
select a.attempt_id from attempts a
join json_each($1) as w on w.value = a.run_id -- sqlite
join json_array_elements_text(cast($1 as json)) as w (value) on cast(w.value as bigint) = a.run_id -- postgres
where a.state = 'live' order by a.attempt_id
