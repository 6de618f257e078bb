-- note_number_changes: who of the numbers $1 is suppressed changed, which the reports of their calls count
insert into report_changes (campaign_id, changes)
select r.campaign_id, 1
from json_each($1) as w -- sqlite
from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
join numbers n on n.e164 = w.value
join attempts a on a.number_id = n.number_id
join runs r on r.run_id = a.run_id
where r.kind = 'campaign' and a.state = 'ended'
group by r.campaign_id
order by r.campaign_id
on conflict (campaign_id) do update set changes = report_changes.changes + 1
