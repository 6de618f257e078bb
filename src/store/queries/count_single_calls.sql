-- count_single_calls: those that were placed at another platform than the simulator's
select count(*)
from runs r
join accounts a on a.account_id = r.account_id
where r.kind = 'single' and a.platform not like 'simulator/%'
