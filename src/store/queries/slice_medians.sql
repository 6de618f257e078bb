-- slice_medians: the same slices of campaign $1 at account $2 by dimension $3 (of `column`: $4), from $5 until before $6:
-- how many human calls had which median of answered turns, in half milliseconds. SlicedMedian.
select label, mode, half_ms, count(*) as n
from (select label, mode, attempt_id,
             cast(sum(case when place = (answered + 1) / 2 then turn_ms else 0 end)
                  + sum(case when place = (answered + 2) / 2 then turn_ms else 0 end) as bigint) as half_ms
      from (select case $3 when 'list' then cast(c.batch_id as text)
                   when 'zone' then coalesce(c.timezone, '')
                   when 'caller_id' then coalesce(a.caller_id, '')
                   when 'quarter' then cast((a.dialed_at / 900000) * 900000 as text)
                   when 'column' then coalesce(c.variables ->> $4, '') -- sqlite
                   when 'column' then coalesce(cast(c.variables as json) ->> $4, '') -- postgres
                   else '' end as label,
                   a.mode, a.attempt_id, t.turn_ms,
                   row_number() over (partition by a.attempt_id order by t.turn_ms, t.turn) as place,
                   count(*) over (partition by a.attempt_id) as answered
            from runs r
            join attempts a on a.run_id = r.run_id
            join run_contacts rc on rc.run_contact_id = a.run_contact_id
            join contacts c on c.contact_id = rc.contact_id
            join turns t on t.attempt_id = a.attempt_id
            where r.campaign_id = $1 and r.account_id = $2 and r.kind = 'campaign' and c.own_mode = 0
              and a.outcome = 'answered' and t.turn_ms >= 0 and a.dialed_at >= $5 and a.dialed_at < $6) as ranked
      group by label, mode, attempt_id) as medians
group by label, mode, half_ms
order by label, mode, half_ms
