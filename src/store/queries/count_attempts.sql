-- count_attempts: every ended attempt counted anew
insert into attempt_counts (run_id, mode, outcome, quarter_at, n, goals, conversed, early_hangups, late_greetings, faults,
                            talk_ms, cost_micros, costed, ringing, interruptions, barge_ins, fillers)
select run_id, mode, outcome, quarter_at, count(*), sum(goal), sum(conversed), sum(early_hangup), sum(late_greeting),
       sum(fault), sum(talk_ms), coalesce(sum(cost_micros), 0), count(case when model_told = 1 then cost_micros end), sum(ringing), sum(interruptions),
       sum(barge_ins), sum(fillers)
from report_counted
group by run_id, mode, outcome, quarter_at
