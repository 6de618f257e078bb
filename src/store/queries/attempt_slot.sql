-- attempt_slot: when a planned attempt may leave
select slot_us from attempts where attempt_id = $1 and state = 'planned'
