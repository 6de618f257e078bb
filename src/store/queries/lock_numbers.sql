-- lock_numbers: the numbers of these attempts, which an opt-out locks too
select number_id from numbers
where number_id in (
    select a.number_id
    from attempts a
    join json_each($1) as wanted on wanted.value = a.attempt_id -- sqlite
    join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = a.attempt_id -- postgres
)
order by number_id
for update -- postgres
