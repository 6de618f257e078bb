-- insert_delivery_try: a try to tell, and what it came to
insert into delivery_tries (delivery_id, try_number, tried_at, status, told, took_ms)
select delivery_id, tries + 1, $2, $3, $4, $5 from deliveries where delivery_id = $1
