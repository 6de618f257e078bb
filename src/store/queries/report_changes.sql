-- report_changes: how often something changed that finished runs of campaign $1 had counted
select cast(coalesce(max(changes), 0) as bigint) as changes from report_changes where campaign_id = $1
