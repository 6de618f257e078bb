-- load_attempt: attempts with all that a decision about each needs
select a.attempt_id, a.run_contact_id, a.run_id, a.number_id, a.try_number, a.mode, a.caller_id, a.state, a.slot_us,
       a.claimed_at, a.token_hash, a.dialed_at, a.session_id, a.held_until, a.ended_at, a.outcome, a.corrected_at,
       a.ungranted, a.told,
       rc.contact_id, rc.due_at, rc.leased_until, rc.disposition,
       c.timezone, c.name, c.variables, c.not_before_at, c.not_after_at,
       n.e164, n.suppressed_at, n.allow_listed_at,
       r.campaign_id, r.state as run_state, r.kind as run_kind, r.ungranted as run_ungranted,
       r.not_dialled as run_not_dialled, r.prohibited as run_prohibited,
       acc.paused_at, acc.platform,
       (select max(o.held_until) from attempts o
        where o.number_id = a.number_id and o.state = 'live' and o.attempt_id <> a.attempt_id) as number_held_until,
       (select s.session_id from starts s where s.token_hash = a.token_hash) as start_session,
       (select count(*) from contact_numbers x where x.contact_id = rc.contact_id) as alternates,
       (select cast(1 as bigint) from erased_numbers limit 1) as some_erased
from attempts a
join run_contacts rc on rc.run_contact_id = a.run_contact_id
join contacts c on c.contact_id = rc.contact_id
join numbers n on n.number_id = a.number_id
join runs r on r.run_id = a.run_id
join accounts acc on acc.account_id = r.account_id
join json_each($1) as wanted on wanted.value = a.attempt_id -- sqlite
join json_array_elements_text(cast($1 as json)) as wanted (value) on cast(wanted.value as bigint) = a.attempt_id -- postgres
