-- record_stays: the provider has not deleted it, and is asked again
update doomed_records set ask_at = $2, tries = tries + 1, trouble = $3 where url = $1
