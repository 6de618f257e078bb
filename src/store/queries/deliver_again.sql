-- deliver_again: somebody wants this delivery tried once more, now
update deliveries set state = 'waiting', due_at = $2, ended_at = null where delivery_id = $1 and endpoint_id = $3
