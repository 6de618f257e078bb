-- forget_endpoint: the endpoint goes
delete from endpoints where endpoint_id = $1
