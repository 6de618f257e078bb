-- wake_account: contacts that the account's pause had put to sleep are due again
update run_contacts set due_at = $2
where due_at > $2 and gate = 'paused'
  and run_id in (select run_id from runs where account_id = $1 and state = 'running')
