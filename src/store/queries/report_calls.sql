-- report_calls: of campaign $1 at account $2, what became of answered attempts. CallRow; `unknown` is 0 until detection
-- stores a third finding.
select night, mode, human, machine, unknown, conversed, early_hangups, late_greetings, faults, talk_ms, cost_micros,
       ringing, interruptions
from report_calls
where campaign_id = $1 and account_id = $2
order by night, mode
