-- slowest_turns: of campaign $1 at account $2, in the slice $7 of dimension $3 (of `column`: $4; empty: all), dialled from
-- $5 until before $6, of mode $8 (empty: every) and night $9 (0: every): the $10 turns that were waited for longest, those
-- without a reply first. SlowTurn.
select r.ordinal as night, a.mode, a.attempt_id, t.turn, t.turn_ms, t.method, t.asr_ms, t.reply_ms, t.model_ms, t.tts_ms,
       t.filler, t.interrupted
from runs r
join attempts a on a.run_id = r.run_id
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join contacts c on c.contact_id = rc.contact_id
join turns t on t.attempt_id = a.attempt_id
where r.campaign_id = $1 and r.account_id = $2 and r.kind = 'campaign' and c.own_mode = 0 and a.outcome = 'answered'
  and (t.turn_ms is null or t.turn_ms >= 0) and a.dialed_at >= $5 and a.dialed_at < $6
  and ($3 = '' or $7 = case $3 when 'list' then cast(c.batch_id as text)
                   when 'zone' then coalesce(c.timezone, '')
                   when 'caller_id' then coalesce(a.caller_id, '')
                   when 'quarter' then cast((a.dialed_at / 900000) * 900000 as text)
                   when 'column' then coalesce(c.variables ->> $4, '') -- sqlite
                   when 'column' then coalesce(cast(c.variables as json) ->> $4, '') -- postgres
                   else '' end)
  and ($8 = '' or a.mode = $8) and ($9 = 0 or r.ordinal = $9)
order by case when t.turn_ms is null then 0 else 1 end, t.turn_ms desc, a.attempt_id, t.turn
limit $10
