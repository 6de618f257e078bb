-- count_latencies: every latency counted anew out of the attempts themselves
insert into latency_counts (run_id, mode, metric, class, method, later, ms, n, ranks, sizes)
select run_id, mode, metric, class, method, later, ms, count(*), cast(sum(ranks) as bigint), cast(sum(sizes) as bigint)
from report_observations
group by run_id, mode, metric, class, method, later, ms
