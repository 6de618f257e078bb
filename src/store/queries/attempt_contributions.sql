-- attempt_contributions: what the ended ones of the attempts $1 add to attempt_counts, its columns as one JSON list
select run_id, mode, outcome, quarter_at,
       '[' || count(*) || ',' || sum(goal) || ',' || sum(conversed) || ',' || sum(early_hangup) || ','
           || sum(late_greeting) || ',' || sum(fault) || ',' || sum(talk_ms) || ',' || coalesce(sum(cost_micros), 0)
           || ',' || count(case when model_told = 1 then cost_micros end) || ',' || sum(ringing) || ',' || sum(interruptions) || ',' || sum(barge_ins)
           || ',' || sum(fillers) || ']' as sums
from report_counted
where attempt_id in (select value from json_each($1)) -- sqlite
where attempt_id in (select cast(value as bigint) from json_array_elements_text(cast($1 as json))) -- postgres
group by run_id, mode, outcome, quarter_at
