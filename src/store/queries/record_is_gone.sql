-- record_is_gone: the provider has deleted it
delete from doomed_records where url = $1
