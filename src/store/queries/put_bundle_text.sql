-- put_bundle_text: what bundle $1 says, as JSON $2
insert into bundles (bundle, told) values ($1, $2)
on conflict (bundle) do nothing
