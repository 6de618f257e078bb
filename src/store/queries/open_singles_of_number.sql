-- open_singles_of_number: single calls to a number that have not come to an end
select count(*) from attempts a
join runs r on r.run_id = a.run_id
where a.number_id = (select number_id from numbers where e164 = $1) and a.state <> 'ended' and r.kind = 'single'
