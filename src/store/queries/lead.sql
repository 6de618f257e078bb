-- lead: take or keep a leadership; a new owner is a new generation
insert into leaderships (name, owner, generation, until_at) values ($1, $2, 1, $4)
on conflict (name) do update
set owner = excluded.owner, until_at = excluded.until_at,
    generation = leaderships.generation + case when leaderships.owner = excluded.owner then 0 else 1 end
where leaderships.owner = excluded.owner or leaderships.until_at <= $3
returning generation
