-- put_media_stream: a stream of audio that is over
insert into media_streams (attempt_id, opened_at, lasted_ms, model, encoding, ended_by, reason, tally, tools, cost_micros)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (attempt_id, opened_at) do nothing
