-- report_attempts: of campaign $1 at account $2, ended attempts by outcome, undialled ones too (the reader knows
-- which outcomes were dialled). AttemptRow.
select night, mode, outcome, n
from report_outcomes
where campaign_id = $1 and account_id = $2
order by night, mode, outcome
