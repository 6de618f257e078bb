-- watched_last_start: when the newest start since $1 was claimed that the provider took
select claimed_at from starts where claimed_at >= $1 and result = 'started' order by claimed_at desc limit 1
