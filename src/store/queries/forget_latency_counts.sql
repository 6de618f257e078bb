-- forget_latency_counts: before they are counted anew
delete from latency_counts
