-- report_opt_outs: of campaign $1 at account $2, contacts that were suppressed during or within a minute of a human call,
-- by night and mode. Those who are suppressed are few: the engine is to begin with them.
select r.ordinal as night, rc.mode, count(distinct rc.run_contact_id) as n
from numbers u
cross join attempts a
join runs r on r.run_id = a.run_id
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join contacts c on c.contact_id = rc.contact_id
where u.suppressed_at is not null and a.number_id = u.number_id and a.outcome = 'answered' and a.dialed_at <= u.suppressed_at
  and u.suppressed_at <= a.ended_at + 60000
  and r.campaign_id = $1 and r.account_id = $2 and r.kind = 'campaign' and c.own_mode = 0
group by r.ordinal, rc.mode
order by r.ordinal, rc.mode
