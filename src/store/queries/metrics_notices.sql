-- metrics_notices: deliveries that wait, by channel
select channel, count(*) as deliveries from deliveries where due_at is not null group by channel
