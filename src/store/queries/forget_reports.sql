-- forget_reports: of campaign $1, stored reports but for the newest $2
delete from report_snapshots
where campaign_id = $1
  and signature not in (select signature from report_snapshots
                        where campaign_id = $1 order by made_at desc, signature limit $2)
