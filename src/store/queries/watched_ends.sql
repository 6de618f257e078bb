-- watched_ends: the newest run of each campaign at account $1 that is over, ended since $2, and is one of $3 runs or more
select r.campaign_id, r.run_id
from runs r
where r.account_id = $1 and r.kind = 'campaign' and r.ended_at >= $2
  and not exists (select 1 from runs l where l.campaign_id = r.campaign_id and l.account_id = $1 and l.ordinal > r.ordinal
                  and l.ended_at is not null)
  and (select count(*) from runs n where n.campaign_id = r.campaign_id and n.account_id = $1) >= $3
order by r.campaign_id
