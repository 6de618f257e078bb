-- forget_old_notes: cells that were left out, of lists before then
update import_notes set raw = ''
where raw <> '' and (batch_id, line) in (
    select x.batch_id, x.line
    from import_notes x
    join imports i on i.batch_id = x.batch_id
    where i.imported_at < $1 and x.raw <> ''
    limit $2
)
