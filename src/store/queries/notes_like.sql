-- notes_like: cells that were left out and may hold these digits
select batch_id, line, raw from import_notes where raw like $1
