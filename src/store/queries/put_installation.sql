-- put_installation: a value that may change
insert into installation (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value
