-- calls_by_span: calls of run $1 that were granted since $2, by spans of $3 milliseconds and mode
select (a.dialed_at - $2) / $3 as span, a.mode, count(*) as calls,
       count(case when a.outcome = 'answered' then 1 end) as answered
from attempts a
where a.run_id = $1 and a.dialed_at is not null and a.dialed_at >= $2
group by 1, 2 order by 1, 2
