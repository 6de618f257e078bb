-- run_facts: how runs stand beside their state, and the version of the settings that hold for them
select r.run_id, c.settings_version, cast(case when r.draining_at is null then 0 else 1 end as bigint) as draining,
       (select count(*) from run_holds h where h.run_id = r.run_id) as holds
from runs r
join campaigns c on c.campaign_id = r.campaign_id
join json_each($1) as w on w.value = r.run_id -- sqlite
join json_array_elements_text(cast($1 as json)) as w (value) on cast(w.value as bigint) = r.run_id -- postgres
