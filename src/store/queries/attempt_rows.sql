-- attempt_rows: attempts of a campaign with their call, in the order of their making
select a.attempt_id, a.run_id, r.ordinal as run_ordinal, rc.contact_id, c.line, n.e164, a.try_number, a.mode, c.own_mode, a.caller_id,
       a.state, a.claimed_at, a.dialed_at, a.ended_at, a.callback_at, a.outcome, a.evidence, a.session_id,
       k.code, k.reason, k.hung_up_by, k.goal, k.answers, k.fault, k.machine, k.answer_ms, k.ring_ms, k.first_audio_ms,
       k.first_audio_method, k.talk_ms, b.cost_micros,
       (select count(*) from turns t where t.attempt_id = a.attempt_id) as turns,
       (select count(*) from turns t where t.attempt_id = a.attempt_id and t.turn_ms is not null) as turns_answered,
       k.source as call_source,
       cast(case when a.outcome = 'answered' and n.suppressed_at >= a.dialed_at
                      and n.suppressed_at <= a.ended_at + 60000 then 1 else 0 end as bigint) as opted_out
from attempts a
join runs r on r.run_id = a.run_id
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join contacts c on c.contact_id = rc.contact_id
join numbers n on n.number_id = a.number_id
left join calls k on k.attempt_id = a.attempt_id
join attempt_costs b on b.attempt_id = a.attempt_id
where r.campaign_id = $1 and a.attempt_id > $2
order by a.attempt_id
limit $3
