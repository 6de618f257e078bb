-- overdue_grants: claimed, and past the deadline no session asked; named twice, the state leads to its index
select attempt_id from attempts
where state in ('dialing', 'live') and state = 'dialing' and claimed_at <= $1
order by claimed_at limit $2
