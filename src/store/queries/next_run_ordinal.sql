-- next_run_ordinal: runs of a campaign are counted from 1
select coalesce(max(ordinal), 0) + 1 from runs where campaign_id = $1
