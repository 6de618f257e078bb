-- run_columns_by_id: one run
select r.run_id, r.campaign_id, r.account_id, a.platform, r.ordinal, r.kind, r.schedule_id, r.due_at, r.started_at,
       r.state, r.state_reason, r.changed_at, r.ended_at, r.draining_at, r.starts_at, r.waits, c.settings_version
from runs r join accounts a on a.account_id = r.account_id join campaigns c on c.campaign_id = r.campaign_id
where r.run_id = $1
