-- note_report_changes: something of the attempts $1 changed that their campaigns' reports count
insert into report_changes (campaign_id, changes)
select r.campaign_id, 1
from json_each($1) as w -- sqlite
join attempts a on a.attempt_id = w.value -- sqlite
from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
join attempts a on a.attempt_id = cast(w.value as bigint) -- postgres
join runs r on r.run_id = a.run_id
where r.kind = 'campaign'
group by r.campaign_id
order by r.campaign_id
on conflict (campaign_id) do update set changes = report_changes.changes + 1
