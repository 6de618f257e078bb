-- forget_endpoint_tries: the tries of an endpoint that goes
delete from delivery_tries where delivery_id in (select delivery_id from deliveries where endpoint_id = $1)
