-- report_contacts: the same counts as report_night_contacts, but each contact once, in the run that counts for it.
-- ContactRow.
select night, mode, assigned, dialled, reached, goals, opt_outs
from report_contacts
where campaign_id = $1 and account_id = $2
order by night, mode
