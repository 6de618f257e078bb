-- erased_by_hash: which erased number has this hash
select number_id from erased_numbers where number_hash = $1 order by erased_at desc limit 1
