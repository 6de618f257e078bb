-- begin_runs: of the runs $3, running ones whose first moment has come
update runs set waits = 0, changed_at = $2
where account_id = $1 and run_id in (select cast(w.value as bigint) from json_each($3) as w) -- sqlite
where account_id = $1 and run_id in (select cast(w.value as bigint) from json_array_elements_text(cast($3 as json)) as w (value)) -- postgres
  and state = 'running' and waits = 1 and starts_at <= $2
returning run_id
