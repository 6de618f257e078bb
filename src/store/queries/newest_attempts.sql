-- newest_attempts: calls of run $1 that ended, of outcome $2 where one is named, the newest first; behind attempt $4 where
-- one is named, $3 of them
select a.attempt_id, a.run_id, r.campaign_id, r.kind, r.ordinal as run_ordinal, g.name as campaign, a.try_number, a.mode,
       a.state, a.dialed_at, a.ended_at, a.outcome, k.goal, k.talk_ms, k.first_audio_ms,
       (select count(*) from turns t where t.attempt_id = a.attempt_id) as turns
from attempts a
join runs r on r.run_id = a.run_id
join campaigns g on g.campaign_id = r.campaign_id
left join calls k on k.attempt_id = a.attempt_id
where a.run_id = $1 and a.state = 'ended' and a.outcome = coalesce($2, a.outcome)
  and ($4 = 0 or (a.ended_at, a.attempt_id) < (select b.ended_at, b.attempt_id from attempts b where b.attempt_id = $4))
order by a.ended_at desc, a.attempt_id desc
limit $3
