-- put_call_cost: what history alone knows of a call
update calls set cost_micros = $2 where attempt_id = $1 and cost_micros is null
