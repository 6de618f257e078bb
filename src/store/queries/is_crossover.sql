-- is_crossover: whether run $1 is one of a crossover
select coalesce(max(case when json_extract(c.settings, '$.experiment.kind') = 'crossover' then 1 else 0 end), 0) = 1 -- sqlite
select coalesce(bool_or(cast(c.settings as json) -> 'experiment' ->> 'kind' = 'crossover'), false) -- postgres
from runs r
join campaigns c on c.campaign_id = r.campaign_id
where r.run_id = $1 and r.kind = 'campaign'
