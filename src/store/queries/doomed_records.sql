-- doomed_records: recordings whose turn it is to be deleted at the provider
select url, attempt_id, tries from doomed_records where account_id = $1 and ask_at <= $2 order by ask_at, url limit $3
