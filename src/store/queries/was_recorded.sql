-- was_recorded: did the session say that it records?
select recorded from calls where attempt_id = $1 and recorded is not null
