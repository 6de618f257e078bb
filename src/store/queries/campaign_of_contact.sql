-- campaign_of_contact: whose list it is on
select campaign_id from contacts where contact_id = $1
