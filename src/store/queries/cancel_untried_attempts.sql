-- cancel_untried_attempts: first tries of a draining run that rang nobody yet
update attempts set state = 'ended', ended_at = $2, outcome = 'cancelled', evidence = 'us'
where run_id = $1 and state in ('planned', 'dialing')
  and not exists (select 1 from attempts t
                  where t.run_contact_id = attempts.run_contact_id and t.state = 'ended'
                    and t.outcome not in ('cancelled', 'expired', 'suppressed'))
