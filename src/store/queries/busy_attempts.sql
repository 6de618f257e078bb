-- busy_attempts: those that are being started or go on
select held_until from attempts
where state in ('dialing', 'live') and attempt_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
)
