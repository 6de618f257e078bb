-- history_of_attempt: what the provider's history knows of the session that held the attempt's grant
select h.session_id, h.finish_reason, h.session_s, h.talk_s, h.code, h.reason, h.cost_micros, h.costs, h.fetched_at,
       h.log_url
from attempts a join history h on h.session_id = a.session_id
where a.attempt_id = $1
