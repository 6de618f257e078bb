-- put_attempt_counts: adds what changed, in the order of the key, so that nodes meet in one order
insert into attempt_counts (run_id, mode, outcome, quarter_at, n, goals, conversed, early_hangups, late_greetings, faults,
                            talk_ms, cost_micros, costed, ringing, interruptions, barge_ins, fillers)
select cast(p.value ->> 0 as bigint), p.value ->> 1, p.value ->> 2, cast(p.value ->> 3 as bigint),
       cast(p.value ->> 4 as bigint),
       cast(p.value ->> 5 as bigint),
       cast(p.value ->> 6 as bigint),
       cast(p.value ->> 7 as bigint),
       cast(p.value ->> 8 as bigint),
       cast(p.value ->> 9 as bigint),
       cast(p.value ->> 10 as bigint),
       cast(p.value ->> 11 as bigint),
       cast(p.value ->> 12 as bigint),
       cast(p.value ->> 13 as bigint),
       cast(p.value ->> 14 as bigint),
       cast(p.value ->> 15 as bigint),
       cast(p.value ->> 16 as bigint)
from json_each($1) as p where true -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
on conflict (run_id, mode, outcome, quarter_at) do update
set n = attempt_counts.n + excluded.n,
    goals = attempt_counts.goals + excluded.goals,
    conversed = attempt_counts.conversed + excluded.conversed,
    early_hangups = attempt_counts.early_hangups + excluded.early_hangups,
    late_greetings = attempt_counts.late_greetings + excluded.late_greetings,
    faults = attempt_counts.faults + excluded.faults,
    talk_ms = attempt_counts.talk_ms + excluded.talk_ms,
    cost_micros = attempt_counts.cost_micros + excluded.cost_micros,
    costed = attempt_counts.costed + excluded.costed,
    ringing = attempt_counts.ringing + excluded.ringing,
    interruptions = attempt_counts.interruptions + excluded.interruptions,
    barge_ins = attempt_counts.barge_ins + excluded.barge_ins,
    fillers = attempt_counts.fillers + excluded.fillers
