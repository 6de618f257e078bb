-- reject_rows: doubled and refused rows of one list, behind a line
select line, bucket, field, reason, raw, cells from rejects where batch_id = $1 and line > $2 order by line limit $3
