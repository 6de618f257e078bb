-- billed_reservations: settled attempts whose history bills another amount than is counted
select v.attempt_id, v.run_id, r.campaign_id, v.day_at, v.granted_at, v.tariff, v.reserved_micros, v.provider_micros,
       v.models_micros, v.replied_micros, k.provider_micros as cost_micros
from reservations v
join json_each($1) as wanted on wanted.value = v.attempt_id -- sqlite
join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = v.attempt_id -- postgres
join runs r on r.run_id = v.run_id
join attempt_costs k on k.attempt_id = v.attempt_id
where v.reserved_micros = 0 and k.provider_micros >= 0 and k.provider_micros <> v.provider_micros
  and exists (select 1 from attempts a
              join history h on h.attempt_id = a.attempt_id and h.cost_micros is not null
              -- The bill of a session that called nobody says nothing of the call.
              where a.attempt_id = v.attempt_id and (a.session_id is null or h.session_id = a.session_id))
