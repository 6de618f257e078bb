-- stored_report: the report of campaign $1 that was made of what the signature $2 names
select body from report_snapshots where campaign_id = $1 and signature = $2
