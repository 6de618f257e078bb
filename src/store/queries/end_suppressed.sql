-- end_suppressed: the planned attempts of contacts that have just come to rest
update attempts
set state = 'ended', ended_at = $2, outcome = 'suppressed', evidence = 'us'
where state = 'planned' and run_contact_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
)
