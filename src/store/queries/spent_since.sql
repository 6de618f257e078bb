-- spent_since: what the calls of a run cost that were granted since then
select cast(coalesce(sum(v.provider_micros + v.models_micros), 0) as bigint)
from reservations v where v.run_id = $1 and v.granted_at >= $2
