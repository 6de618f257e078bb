-- note_rows: cells of accepted rows of one list that were left out, behind a cell
select line, field, reason, raw from import_notes
where batch_id = $1 and (line > $2 or (line = $2 and field > $3)) order by line, field limit $4
