-- lock_e164: the number row, which a grant and an opt-out lock too
select 1 from numbers where e164 = $1
for update -- postgres
