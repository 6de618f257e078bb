-- wake_run: contacts that a pause had put to sleep are due again
update run_contacts set due_at = $2 where run_id = $1 and due_at > $2 and gate = 'paused'
