-- overdue_grants: claimed, and past the deadline no session asked
select attempt_id from attempts where state = 'dialing' and claimed_at <= $1 order by claimed_at limit $2
