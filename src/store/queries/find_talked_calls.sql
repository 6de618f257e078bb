-- find_talked_calls: every human call with turns, out of the attempts themselves
insert into talked_calls (campaign_id, contact_id, attempt_id, run_id)
select campaign_id, contact_id, attempt_id, run_id
from report_attempts
where own_mode = 0 and outcome = 'answered' and (replies > 0 or unanswered > 0)
