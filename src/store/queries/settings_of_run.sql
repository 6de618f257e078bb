-- settings_of_run: what the campaign of run $1 is set to
select c.settings
from runs r
join campaigns c on c.campaign_id = r.campaign_id
where r.run_id = $1 and r.kind = 'campaign'
