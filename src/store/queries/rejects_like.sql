-- rejects_like: rows that were not accepted and may hold these digits
select batch_id, line, raw, cells from rejects where raw like $1 or cells like $1
