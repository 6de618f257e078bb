-- answer_repeat: the request with the key $1 was answered with status $2, type $3, location $4 and body $5
update repeats set status = $2, kind = $3, location = $4, body = $5 where key = $1
