-- insert_trip: which breaker paused the run
insert into breaker_trips (run_id, name, arm, tripped_at, value, threshold) values ($1, $2, $3, $4, $5, $6)
