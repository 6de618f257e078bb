-- open_budgets: a run's budget and its campaign's for this day, from nothing
insert into budgets (owner_id, day_at)
values (cast($1 as bigint), 0), (cast($2 as bigint), cast($3 as bigint))
on conflict (owner_id, day_at) do nothing
