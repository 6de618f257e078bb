-- find_account: by platform
select account_id from accounts where platform = $1
