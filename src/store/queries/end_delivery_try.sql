-- end_delivery_try: the delivery after one more try: $2 is its state, $3 its next turn, $4 its end
update deliveries set tries = tries + 1, state = $2, due_at = $3, ended_at = $4 where delivery_id = $1
