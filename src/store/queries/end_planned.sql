-- end_planned: planned attempts whose contact came to rest without a dial
update attempts
set state = 'ended', ended_at = $2, outcome = p.value ->> 1, evidence = 'us'
from json_each($1) as p -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
where attempt_id = cast(p.value ->> 0 as bigint) and state = 'planned'
