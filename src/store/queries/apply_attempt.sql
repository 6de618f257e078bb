-- apply_attempt: an attempt's new state, whole
update attempts
set state = $2,
    claimed_at = case when $2 = 'planned' then null else coalesce($3, claimed_at) end,
    token_hash = $4, dialed_at = $5, session_id = $6, held_until = $7, ended_at = $8, outcome = $9, evidence = $10,
    corrected_at = coalesce($11, corrected_at), ungranted = $12, told = $13
where attempt_id = $1
