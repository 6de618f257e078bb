-- runs_open: every run that is not over
select r.run_id, r.campaign_id, r.account_id, a.platform, r.ordinal, r.kind, r.schedule_id, r.due_at, r.started_at,
       r.state, r.state_reason, r.changed_at, r.ended_at, r.draining_at, r.starts_at, r.waits, c.settings_version
from runs r join accounts a on a.account_id = r.account_id join campaigns c on c.campaign_id = r.campaign_id
where r.state in ('running', 'paused') order by r.started_at, r.run_id
