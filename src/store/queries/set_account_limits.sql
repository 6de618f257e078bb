-- set_account_limits: pace and lines of the account
update accounts set cps_max = $2, lines_max = $3 where account_id = $1
