-- report_turns: of campaign $1 at account $2, the turns of human calls, whole calls at a time: of at most $4 attempts
-- after attempt $3. A null turn_ms is a reply that never came; a negative one is an interruption and no wait.
-- TurnRow.
with page as
(
    select attempt_id, night, mode, contact_id
    from report_attempts
    where campaign_id = $1 and account_id = $2 and own_mode = 0 and outcome = 'answered' and attempt_id > $3
      and exists (select 1 from turns x
                  where x.attempt_id = report_attempts.attempt_id and (x.turn_ms is null or x.turn_ms >= 0))
    order by attempt_id
    limit $4
)
select p.night, p.mode, p.contact_id as contact, p.attempt_id as attempt, t.turn_ms, t.method
from page p
join turns t on t.attempt_id = p.attempt_id
where t.turn_ms is null or t.turn_ms >= 0
order by p.attempt_id, t.turn
