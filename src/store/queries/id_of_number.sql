-- id_of_number: under which id a number is known
select number_id from numbers where e164 = $1
