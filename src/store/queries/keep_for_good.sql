-- keep_for_good: for good from now on
delete from retention where what = $1
