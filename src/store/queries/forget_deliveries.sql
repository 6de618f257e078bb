-- forget_deliveries: deliveries that ended before $1
delete from deliveries where ended_at is not null and ended_at < $1
