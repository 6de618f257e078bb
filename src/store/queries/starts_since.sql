-- starts_since: claims since $2 among attempts made since $1 (an id: ids grow with time)
select count(*) from attempts where attempt_id >= $1 and claimed_at >= $2
