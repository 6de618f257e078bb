-- alternate_rows: further numbers of a campaign's contacts, page by page; a page may end within a contact
select x.contact_id, x.ordinal, n.e164, n.allow_listed_at is not null as allow_listed
from contact_numbers x
join contacts c on c.contact_id = x.contact_id
join numbers n on n.number_id = x.number_id
where c.campaign_id = $1 and (x.contact_id > $2 or (x.contact_id = $2 and x.ordinal > $3))
order by x.contact_id, x.ordinal
limit $4
