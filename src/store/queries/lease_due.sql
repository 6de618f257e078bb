-- lease_due: the contacts whose turn it is, taken so that nobody else takes them; each half in the order of its index,
-- and of both the first ones: retries first or last, or ($5 = 'due') whoever waits longest
update run_contacts
set leased_until = $2
where run_contact_id in (
    select run_contact_id
    from (select * from (select run_contact_id, tried, due_at, dial_order from run_contacts
                         where run_id = $1 and tried = 0 and due_at is not null and due_at <= $3 and leased_until <= $3
                         order by due_at, dial_order
                         limit $4
                         for update skip locked -- postgres
                        ) as fresh
          union all
          select * from (select run_contact_id, tried, due_at, dial_order from run_contacts
                         where run_id = $1 and tried = 1 and due_at is not null and due_at <= $3 and leased_until <= $3
                         order by due_at, dial_order
                         limit $4
                         for update skip locked -- postgres
                        ) as again) as waiting
    order by case $5 when 'first' then 1 - tried when 'last' then tried else 0 end, due_at, dial_order
    limit $4
)
and leased_until <= $3
returning run_contact_id
