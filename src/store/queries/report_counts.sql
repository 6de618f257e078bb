-- report_counts: of campaign $1 at account $2, what became of ended attempts, by outcome and quarter of an hour.
-- CountedAttempts.
select r.ordinal as night, k.mode, k.outcome, k.quarter_at, k.n, k.goals, k.conversed, k.early_hangups, k.late_greetings,
       k.faults, k.talk_ms, k.cost_micros, k.costed, k.ringing, k.interruptions, k.barge_ins, k.fillers
from runs r
join attempt_counts k on k.run_id = r.run_id
where r.campaign_id = $1 and r.account_id = $2 and k.n > 0
order by r.ordinal, k.mode, k.outcome, k.quarter_at
