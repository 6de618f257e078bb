-- status_runs: every open run of account $1: calls under way, is it anybody's turn, whose turn is next
select r.run_id, r.ordinal, r.kind, g.name as campaign, r.state, r.state_reason, r.changed_at,
       (select count(*) from attempts a where a.run_id = r.run_id and a.state = 'dialing') as dialing,
       (select count(*) from attempts a where a.run_id = r.run_id and a.state = 'live') as live,
       (select count(*) from (select 1 from run_contacts c
                              where c.run_id = r.run_id and c.tried = 0 and c.due_at is not null and c.due_at <= $2
                              limit 1) as fresh)
     + (select count(*) from (select 1 from run_contacts c
                              where c.run_id = r.run_id and c.tried = 1 and c.due_at is not null and c.due_at <= $2
                              limit 1) as again) as due,
       (select c.due_at from run_contacts c
        where c.run_id = r.run_id and c.tried = 0 and c.due_at is not null and c.due_at > $2
        order by c.due_at, c.dial_order limit 1) as fresh_at,
       (select c.gate from run_contacts c
        where c.run_id = r.run_id and c.tried = 0 and c.due_at is not null and c.due_at > $2
        order by c.due_at, c.dial_order limit 1) as fresh_gate,
       (select c.due_at from run_contacts c
        where c.run_id = r.run_id and c.tried = 1 and c.due_at is not null and c.due_at > $2
        order by c.due_at, c.dial_order limit 1) as again_at,
       (select c.gate from run_contacts c
        where c.run_id = r.run_id and c.tried = 1 and c.due_at is not null and c.due_at > $2
        order by c.due_at, c.dial_order limit 1) as again_gate
from runs r join campaigns g on g.campaign_id = r.campaign_id
where r.account_id = $1 and r.state in ('running', 'paused')
order by r.started_at, r.run_id
