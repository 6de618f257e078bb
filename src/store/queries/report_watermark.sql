-- report_watermark: the version of the views, and the last moment at which an attempt of campaign $1 ended or was
-- corrected; null before the first
select (select version from report_version) as version, max(a.ended_at) as ended_at, max(a.corrected_at) as corrected_at
from attempts a
join runs r on r.run_id = a.run_id
where r.campaign_id = $1 and a.state = 'ended'
