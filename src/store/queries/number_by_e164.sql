-- number_by_e164: a number's row
select number_id from numbers where e164 = $1
