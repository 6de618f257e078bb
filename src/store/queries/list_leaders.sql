-- list_leaders: who leads in what
select name, owner from leaderships where until_at > $1 order by name
