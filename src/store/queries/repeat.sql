-- repeat: what came with the key $1 before, and what was answered
select fingerprint, status, kind, location, body from repeats where key = $1
