-- attempts_of_number: every try at the number of contact $1, whichever campaign made it, the newest first
select a.attempt_id, a.run_id, r.campaign_id, r.kind, r.ordinal as run_ordinal, g.name as campaign, a.try_number, a.mode,
       a.state, a.dialed_at, a.ended_at, a.outcome, k.goal, k.talk_ms, k.first_audio_ms,
       (select count(*) from turns t where t.attempt_id = a.attempt_id) as turns
from attempts a
join runs r on r.run_id = a.run_id
join campaigns g on g.campaign_id = r.campaign_id
left join calls k on k.attempt_id = a.attempt_id
where a.number_id = (select o.number_id from contacts o where o.contact_id = $1)
order by a.attempt_id desc
limit $2
