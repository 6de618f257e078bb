-- keep_days: so long from now on
insert into retention (what, days) values ($1, $2) on conflict (what) do update set days = excluded.days
