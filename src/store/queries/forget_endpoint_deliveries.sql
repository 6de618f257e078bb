-- forget_endpoint_deliveries: the deliveries of an endpoint that goes
delete from deliveries where endpoint_id = $1
