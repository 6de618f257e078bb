-- number_of_contact: which number a contact was given
select number_id from contacts where contact_id = $1
