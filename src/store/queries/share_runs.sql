-- share_runs: the runs of these attempts, held against a pause; before their numbers. Does any of their counters stand
-- above zero?
select ungranted + not_dialled + prohibited > 0 from runs
where run_id in (
    select a.run_id
    from attempts a
    join json_each($1) as wanted on wanted.value = a.attempt_id -- sqlite
    join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = a.attempt_id -- postgres
)
order by run_id
for share -- postgres
