-- report_attempts: of campaign $1 at account $2, ended attempts by outcome, undialled ones too (the reader knows
-- which outcomes were dialled). A cancellation counts where it ended a call, not where it withdrew one. AttemptRow.
select r.ordinal as night, a.mode, a.outcome, count(*) as n
from attempts a
join runs r on r.run_id = a.run_id
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join contacts c on c.contact_id = rc.contact_id
where r.campaign_id = $1 and r.account_id = $2 and r.kind = 'campaign' and c.own_mode = 0 and a.state = 'ended'
  and (a.outcome <> 'cancelled' or a.dialed_at is not null)
group by r.ordinal, a.mode, a.outcome
order by r.ordinal, a.mode, a.outcome
