-- put_reservations: what attempts hold of their budgets from now on
insert into reservations (attempt_id, run_id, day_at, granted_at, tariff, reserved_micros, provider_micros, models_micros,
                          replied_micros)
select cast(p.value ->> 0 as bigint), cast(p.value ->> 1 as bigint), cast(p.value ->> 2 as bigint),
       cast(p.value ->> 3 as bigint), p.value ->> 4, cast(p.value ->> 5 as bigint), cast(p.value ->> 6 as bigint),
       cast(p.value ->> 7 as bigint), cast(p.value ->> 8 as bigint)
from json_each($1) as p where true -- sqlite
from jsonb_array_elements(cast($1 as jsonb)) as p (value) -- postgres
on conflict (attempt_id) do update
set day_at = excluded.day_at, granted_at = excluded.granted_at, tariff = excluded.tariff,
    reserved_micros = excluded.reserved_micros, provider_micros = excluded.provider_micros,
    models_micros = excluded.models_micros, replied_micros = excluded.replied_micros
