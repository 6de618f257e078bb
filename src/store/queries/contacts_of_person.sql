-- contacts_of_person: everybody who has this number, first or further
select contact_id from contacts where number_id = $1
union
select contact_id from contact_numbers where number_id = $1
