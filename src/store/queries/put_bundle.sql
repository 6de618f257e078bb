-- put_bundle: run $1 played mode $2 by bundle $3, first seen at $4
insert into run_bundles (run_id, mode, bundle, first_at) values ($1, $2, $3, $4)
on conflict (run_id, mode, bundle) do nothing
