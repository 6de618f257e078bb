-- give_leases_back: contacts that were leased and not needed after all
update run_contacts
set leased_until = 0
where run_contact_id in (select cast(value as bigint) from json_each($1)) -- sqlite
where run_contact_id in (select cast(value as bigint) from json_array_elements_text(cast($1 as json))) -- postgres
