-- people_exactly: contacts whose number lies from $1 to $2 (the first so many of them), or that go by the name $3
-- elsewhere; before contact $4, the newest first, $5 of them. Each campaign is asked for the numbers: no list is read.
select c.contact_id, c.campaign_id, g.name as campaign, n.e164, c.name, c.external_id, c.mode,
       n.suppressed_at, rc.disposition, rc.due_at, rc.gate
from (select first.contact_id
      from (select number_id from numbers where e164 >= $1 and e164 <= $2 order by e164 limit 200) as begun
      cross join campaigns of_list
      join contacts first on first.campaign_id = of_list.campaign_id and first.number_id = begun.number_id
      where of_list.kind = 'campaign'
      union
      select contact_id from contacts where external_id = $3) as named
join contacts c on c.contact_id = named.contact_id
join numbers n on n.number_id = c.number_id
join campaigns g on g.campaign_id = c.campaign_id
left join run_contacts rc on rc.run_contact_id =
    (select max(x.run_contact_id) from run_contacts x where x.contact_id = c.contact_id)
where g.kind = 'campaign' and c.contact_id < $4
order by c.contact_id desc
limit $5
