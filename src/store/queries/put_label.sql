-- put_label: what a person found in human call $1 of a campaign: $2, at $3. No row: there is no such call.
insert into labels (attempt_id, goal, labelled_at)
select a.attempt_id, $2, $3
from attempts a
join runs r on r.run_id = a.run_id
where a.attempt_id = $1 and a.state = 'ended' and a.outcome = 'answered' and r.kind = 'campaign'
on conflict (attempt_id) do update set goal = excluded.goal, labelled_at = excluded.labelled_at
returning attempt_id
