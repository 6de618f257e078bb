-- report_apart: of campaign $1 at account $2, contacts whose row names its own mode: called, and in no experiment.
-- ApartRow.
select mode, contacts, attempts, answered, human, goals
from report_apart
where campaign_id = $1 and account_id = $2
order by mode
