-- put_installation_once: a value that stands once it is written
insert into installation (name, value) values ($1, $2) on conflict (name) do nothing
