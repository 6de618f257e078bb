-- dialogue_rows: every turn of these attempts and how it was answered, in the order of the turns
select d.attempt_id, d.turn, d.text, d.reply, d.at, d.replier, d.requests, d.first_ms, d.model_ms, d.tokens_in,
       d.tokens_cached, d.tokens_out, d.cost_micros, d.tools, d.verdict, d.trouble, d.fault
from dialogue_turns d
join json_each($1) as wanted on wanted.value = d.attempt_id -- sqlite
join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = d.attempt_id -- postgres
order by d.attempt_id, d.turn
