-- forget_history: what the provider wrote, and the way to its log
update history set body = '{}', log_url = null
where (body <> '{}' or log_url is not null) and attempt_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
)
