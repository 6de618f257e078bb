-- ensure_account: the account at this platform; its limits are only first values
insert into accounts (account_id, platform, cps_max, lines_max) values ($1, $2, $3, $4) on conflict (platform) do nothing
