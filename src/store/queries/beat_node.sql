-- beat_node: this process lives; whoever was taken for dead comes back with what it said at its start
insert into nodes (node, roles, host, started_at, beat_at, alive_until) values ($1, $2, $3, $4, $5, $6)
on conflict (node) do update set beat_at = excluded.beat_at, alive_until = excluded.alive_until
