-- report_answers: of campaign $1 at account $2, what was answered in human calls, by mode: the text of each record and
-- how often it came. CountedAnswers
select a.mode, k.answers, count(*) as n
from attempts a
join runs r on r.run_id = a.run_id
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join contacts c on c.contact_id = rc.contact_id
join calls k on k.attempt_id = a.attempt_id
where r.campaign_id = $1 and r.account_id = $2 and r.kind = 'campaign' and c.own_mode = 0 and a.outcome = 'answered'
  and k.answers is not null and k.answers <> '{}'
group by a.mode, k.answers
order by a.mode, k.answers
