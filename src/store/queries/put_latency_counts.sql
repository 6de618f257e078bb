-- put_latency_counts: adds what changed, in the order of the key, so that nodes meet in one order
insert into latency_counts (run_id, mode, metric, class, method, later, ms, n, ranks, sizes)
select cast(p.value ->> 0 as bigint), p.value ->> 1, p.value ->> 2, p.value ->> 3, p.value ->> 4,
       cast(p.value ->> 5 as bigint), cast(p.value ->> 6 as bigint), cast(p.value ->> 7 as bigint),
       cast(p.value ->> 8 as bigint), cast(p.value ->> 9 as bigint)
from json_each($1) as p where true -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
on conflict (run_id, mode, metric, class, method, later, ms) do update
set n = latency_counts.n + excluded.n, ranks = latency_counts.ranks + excluded.ranks,
    sizes = latency_counts.sizes + excluded.sizes
