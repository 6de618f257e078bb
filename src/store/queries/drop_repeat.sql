-- drop_repeat: the request with the key $1 did nothing; the key is free again
delete from repeats where key = $1 and status is null
