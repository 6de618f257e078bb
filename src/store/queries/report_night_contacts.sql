-- report_night_contacts: of campaign $1 at account $2, every run by itself: contacts assigned, dialled, reached by a
-- person, with goal, opted out. ContactRow.
select night, mode, assigned, dialled, reached, goals, opt_outs
from report_night_contacts
where campaign_id = $1 and account_id = $2
order by night, mode
