-- leads_now: does anybody hold this leadership?
select count(*) from leaderships where name = $1 and until_at > $2
