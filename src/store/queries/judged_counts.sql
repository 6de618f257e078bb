-- judged_counts: of campaign $1 at account $2, what each rubric found beside what our own side recorded and what people
-- found. CountedJudged.
select rubric, judge, model, night, mode, min(judged_at) as first_at, count(*) as judged,
       cast(sum(goal) as bigint) as goals, cast(sum(own_goal) as bigint) as own_goals,
       cast(sum(goal * own_goal) as bigint) as both, count(label) as labelled,
       cast(coalesce(sum(label), 0) as bigint) as label_goals,
       cast(coalesce(sum(case when label is not null then goal end), 0) as bigint) as judge_goals,
       cast(coalesce(sum(label * goal), 0) as bigint) as label_both,
       cast(sum(tokens_in) as bigint) as tokens_in, cast(sum(tokens_out) as bigint) as tokens_out,
       cast(sum(cost_micros) as bigint) as cost_micros
from report_judged
where campaign_id = $1 and account_id = $2
group by rubric, judge, model, night, mode
order by rubric, night, mode
