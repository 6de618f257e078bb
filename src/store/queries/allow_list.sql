-- allow_list: a test phone from now on, or no more
insert into numbers (number_id, e164, allow_listed_at) values ($1, $2, $3)
on conflict (e164) do update
set allow_listed_at = case when excluded.allow_listed_at is null then null
                           else coalesce(numbers.allow_listed_at, excluded.allow_listed_at) end
