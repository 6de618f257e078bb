-- streamed_reservations: settled attempts that count another amount than their streams of audio told
select v.attempt_id, v.run_id, r.campaign_id, v.day_at, v.granted_at, v.tariff, v.reserved_micros, v.provider_micros,
       v.models_micros, v.replied_micros, s.cost_micros
from reservations v
join json_each($1) as wanted on wanted.value = v.attempt_id -- sqlite
join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = v.attempt_id -- postgres
join runs r on r.run_id = v.run_id
join (select attempt_id, cast(sum(cost_micros) as bigint) as cost_micros, count(*) - count(cost_micros) as unknown
      from media_streams group by attempt_id) s on s.attempt_id = v.attempt_id
-- A stream that nobody closed told nothing: then its seconds stand.
where v.reserved_micros = 0 and s.unknown = 0 and s.cost_micros <> v.models_micros - v.replied_micros
