-- load_reservations: what the attempts hold of their budgets
select v.attempt_id, v.day_at, v.granted_at, v.tariff, v.reserved_micros, v.provider_micros, v.models_micros,
       v.replied_micros
from reservations v
join json_each($1) as wanted on wanted.value = v.attempt_id -- sqlite
join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = v.attempt_id -- postgres
