-- forget_old_rejects: rows that were not accepted, of lists before then
update rejects set raw = '', cells = null
where (raw <> '' or cells is not null) and (batch_id, line) in (
    select x.batch_id, x.line
    from rejects x
    join imports i on i.batch_id = x.batch_id
    where i.imported_at < $1 and (x.raw <> '' or x.cells is not null)
    limit $2
)
