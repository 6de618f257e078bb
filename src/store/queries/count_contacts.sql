-- count_contacts: of a campaign
select count(*) from contacts where campaign_id = $1
