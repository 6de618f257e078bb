-- doom_records: recordings that the provider is asked to delete
insert into doomed_records (url, attempt_id, account_id, doomed_at, ask_at)
select r.url, min(h.attempt_id), min(x.account_id), $2, $2
from records r
join history h on h.session_id = r.session_id
join attempts a on a.attempt_id = h.attempt_id
join runs x on x.run_id = a.run_id
where h.attempt_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
)
group by r.url
on conflict (url) do nothing
