-- attempt_whose: of which campaign attempts are, and the version of the settings that hold for them
select a.attempt_id, r.campaign_id, c.settings_version
from attempts a
join json_each($1) as wanted on wanted.value = a.attempt_id -- sqlite
join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = a.attempt_id -- postgres
join runs r on r.run_id = a.run_id
join campaigns c on c.campaign_id = r.campaign_id
