-- bundles_of_run: what mode $2 was played by in run $1, the newest first
select b.told
from run_bundles r
join bundles b on b.bundle = r.bundle
where r.run_id = $1 and r.mode = $2
order by r.first_at desc, r.bundle
