-- lock_person: numbers that are about to be erased, which a grant and an opt-out lock too
select number_id, e164 from numbers
where number_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
)
order by number_id
for update -- postgres
