-- report_latencies: of campaign $1 at account $2, how often each whole millisecond occurred; a null value is a wait
-- without end. LatencyRow.
select night, mode, metric, value_ms, n
from report_latencies
where campaign_id = $1 and account_id = $2
order by night, mode, metric, value_ms
