-- put_report: a report of campaign $1, made of what the signature $2 names at $3; one that is there stays
insert into report_snapshots (campaign_id, signature, made_at, body)
values ($1, $2, $3, $4)
on conflict (campaign_id, signature) do nothing
