-- doomed_of_attempt: how many recordings of an attempt wait to be deleted
select count(*) from doomed_records where attempt_id = $1
