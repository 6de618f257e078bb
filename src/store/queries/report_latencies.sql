-- report_latencies: of run $1, how often each whole millisecond of a latency occurred, with what the intervals of turns
-- need: `ms n` and where they are ` ranks sizes`, with commas between, and the worst ruler by its place. PackedLatencies.
select mode, metric,
       cast(max(case method when 'recording' then 0 when 'vad' then 1 when 'event_corrected' then 2 when '' then -1
                            else 3 end) as bigint) as ruler,
       string_agg(cast(ms as text) || ' ' || cast(n as text)
                  || case when ranks = 0 and sizes = 0 then ''
                          else ' ' || cast(ranks as text) || ' ' || cast(sizes as text) end,
                  ',') as counts
from latency_counts
where run_id = $1 and n > 0
group by mode, metric
order by mode, metric
