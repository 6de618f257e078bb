-- report_hours: of campaign $1 at account $2, dials by quarter of an hour. HourRow.
select night, mode, quarter_at, dialled, human, goals
from report_hours
where campaign_id = $1 and account_id = $2
order by night, mode, quarter_at
