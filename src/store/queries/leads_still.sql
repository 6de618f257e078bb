-- leads_still: does this owner still lead in this generation?
select count(*) from leaderships where name = $1 and owner = $2 and generation = $3 and until_at > $4
