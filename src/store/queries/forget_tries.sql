-- forget_tries: tries of deliveries that ended before $1
delete from delivery_tries where delivery_id in (select delivery_id from deliveries where ended_at is not null and ended_at < $1)
