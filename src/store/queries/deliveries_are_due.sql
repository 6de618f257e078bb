-- deliveries_are_due: does anybody wait to be told by $1?
select count(*) from (select 1 from deliveries where due_at is not null and due_at <= $1 limit 1) as due
