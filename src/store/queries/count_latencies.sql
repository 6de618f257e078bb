-- count_latencies: every latency counted anew out of the attempts themselves
insert into latency_counts (run_id, mode, metric, class, method, later, ms, n)
select run_id, mode, metric, class, method, later, ms, count(*)
from report_observations
group by run_id, mode, metric, class, method, later, ms
