-- pause_runs: running runs stop dialling, each with its reason
update runs set state = 'paused', state_reason = p.value ->> 1, changed_at = $2
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
where run_id = cast(p.value ->> 0 as bigint) and state = 'running'
returning run_id
