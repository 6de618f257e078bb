-- lock_number: the number row, which an opt-out locks too
select 1 from numbers where number_id = (select number_id from attempts where attempt_id = $1) for update -- postgres
select 1 where $1 is not null -- sqlite
