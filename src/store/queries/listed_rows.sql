-- listed_rows: contacts as their lists brought them, with what became of each in its newest run
select c.contact_id, i.ordinal, c.line, c.raw_phone, n.e164, c.name, c.mode, c.own_mode, c.timezone, c.external_id,
       c.variables, c.consent_kind, c.consent_at, c.consent_source, c.not_before_at, c.not_after_at, c.priority,
       c.phone_kind, n.suppressed_at, rc.due_at, rc.gate, rc.disposition,
       (select count(*) from attempts t where t.run_contact_id = rc.run_contact_id) as tries,
       a.outcome, a.dialed_at, k.goal, k.answers
from contacts c
join imports i on i.batch_id = c.batch_id
join numbers n on n.number_id = c.number_id
left join run_contacts rc on rc.run_contact_id =
    (select max(x.run_contact_id) from run_contacts x where x.contact_id = c.contact_id)
left join attempts a on a.attempt_id =
    (select max(x.attempt_id) from attempts x where x.run_contact_id = rc.run_contact_id and x.state = 'ended')
left join calls k on k.attempt_id = a.attempt_id
where c.campaign_id = $1 and c.contact_id > $2
order by c.contact_id
limit $3
