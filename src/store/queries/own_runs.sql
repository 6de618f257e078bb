-- own_runs: the same runs for those who write their counters
select run_id from runs
where run_id in (
    select a.run_id
    from attempts a
    join json_each($1) as wanted on wanted.value = a.attempt_id -- sqlite
    join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = a.attempt_id -- postgres
)
order by run_id
for no key update -- postgres
