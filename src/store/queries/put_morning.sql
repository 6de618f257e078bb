-- put_morning: the report of campaign $1 for the day $2 is made, unless it was
insert into morning_reports (campaign_id, day, made_at) values ($1, $2, $3)
on conflict (campaign_id, day) do nothing
