-- put_media_stream: a stream of audio that was opened, or that is over; what is over stays as it is
insert into media_streams (attempt_id, opened_at, lasted_ms, model, encoding, ended_by, reason, tally, tools, cost_micros)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (attempt_id, opened_at) do update
set lasted_ms = excluded.lasted_ms, ended_by = excluded.ended_by, reason = excluded.reason, tally = excluded.tally,
    tools = excluded.tools, cost_micros = excluded.cost_micros
where media_streams.ended_by = 'open'
