-- joinable_run: the campaign's open run, if new contacts may still join it; it cannot end while this is held
select run_id, starts_at from runs
where campaign_id = $1 and account_id = (select account_id from runs x where x.campaign_id = $1 order by x.run_id desc limit 1)
  and kind = 'campaign' and state in ('running', 'paused')
  and draining_at is null and joinable = 1
order by run_id limit 1
for update -- postgres
