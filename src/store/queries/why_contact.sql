-- why_contact: one contact with its newest run, the number that its next try rings, and what may hold it
select c.contact_id, c.campaign_id, c.timezone, c.not_before_at, c.not_after_at, rc.run_contact_id, rc.run_id, rc.due_at, rc.gate, rc.disposition,
       rc.rested_at, rc.tried, rc.dial_order, n.number_id, n.e164, n.suppressed_at, n.suppressed_reason, n.allow_listed_at,
       r.ordinal as run_ordinal, r.state as run_state, r.state_reason, r.changed_at, r.started_at,
       acc.account_id, acc.cps_max, acc.lines_max, acc.paused_at, acc.pause_reason,
       a.attempt_id, a.state as attempt_state, a.slot_us, a.claimed_at, a.dialed_at,
       (select max(o.held_until) from attempts o
        where o.number_id = n.number_id and o.state = 'live'
          and o.run_contact_id <> coalesce(rc.run_contact_id, 0)) as number_held_until,
       (select max(e.ended_at) from attempts e where e.run_contact_id = rc.run_contact_id) as ended_at
from contacts c
left join run_contacts rc on rc.run_contact_id =
    (select max(x.run_contact_id) from run_contacts x where x.contact_id = c.contact_id)
join numbers n on n.number_id = coalesce(rc.number_id, c.number_id)
left join runs r on r.run_id = rc.run_id
left join accounts acc on acc.account_id = r.account_id
left join attempts a on a.run_contact_id = rc.run_contact_id and a.state <> 'ended'
where c.contact_id = $1
