-- last_run_end: when the newest run of a campaign at this account ended
select max(ended_at) from runs where account_id = $1 and kind = 'campaign'
