-- report_runs: the runs of a campaign, each a night; `platform` says whether it stood at a simulator, and runs of
-- different accounts are never pooled. RunRow.
select r.run_id, r.ordinal as night, r.account_id, k.platform, r.state, r.started_at, r.ended_at
from runs r
join accounts k on k.account_id = r.account_id
where r.campaign_id = $1 and r.kind = 'campaign'
order by r.ordinal
