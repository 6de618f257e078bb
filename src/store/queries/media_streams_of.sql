-- media_streams_of: the streams of audio of one attempt
select opened_at, lasted_ms, model, encoding, ended_by, reason, tally
from media_streams
where attempt_id = $1
order by opened_at
