-- next_batch_ordinal: lists of a campaign are counted from 1
select coalesce(max(ordinal), 0) + 1 from imports where campaign_id = $1
