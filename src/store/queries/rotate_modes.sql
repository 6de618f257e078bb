-- rotate_modes: in a crossover, every contact of run $1 takes the mode that stands as many places behind its own as runs
-- went before; over as many runs as there are modes each number meets every one, and no night all in the same order
with split as
(
    select m.key as mode, row_number() over (order by m.key) - 1 as place, count(*) over () as size, r.ordinal
    from runs r
    join campaigns c on c.campaign_id = r.campaign_id
    join json_each(c.settings, '$.modes') as m -- sqlite
    join json_object_keys(cast(c.settings as json) -> 'modes') as m (key) on true -- postgres
    where r.run_id = $1 and r.kind = 'campaign'
),
turned as
(
    select own.mode as own, other.mode as mode
    from split own
    join split other on other.place = (own.place + own.ordinal - 1) % own.size
)
update run_contacts
set mode = turned.mode
from turned
where run_contacts.run_id = $1 and run_contacts.mode = turned.own
  and run_contacts.contact_id in (select contact_id from contacts where own_mode = 0)
  and ($2 = 0 or run_contacts.contact_id in (select contact_id from contacts where batch_id = $2))
