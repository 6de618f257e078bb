-- contact_rows: contacts of a campaign with where they stand in their newest run
select c.contact_id, c.line, n.e164, c.name, c.mode, c.own_mode, c.timezone, c.external_id, c.variables, n.suppressed_at,
       c.consent_kind, c.consent_at, c.consent_source, c.not_before_at, c.not_after_at, c.priority, c.phone_kind,
       n.allow_listed_at is not null as allow_listed,
       rc.run_contact_id, rc.due_at, rc.gate, rc.disposition, rc.leased_until,
       (select count(*) from attempts a where a.run_contact_id = rc.run_contact_id) as tries
from contacts c
join numbers n on n.number_id = c.number_id
left join run_contacts rc on rc.run_contact_id =
    (select max(x.run_contact_id) from run_contacts x where x.contact_id = c.contact_id)
where c.campaign_id = $1 and c.contact_id > $2
order by c.contact_id
limit $3
