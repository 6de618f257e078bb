-- begin_repeat: the request $2 with the key $1, at $3; nothing happens where the key was used
insert into repeats (key, fingerprint, begun_at) values ($1, $2, $3)
on conflict (key) do nothing
