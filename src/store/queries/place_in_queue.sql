-- place_in_queue: contacts of run $1 whose turn comes before that of a contact: by time, or retries first or last ($3)
select count(*)
from (select case $3 when 'first' then 1 - tried when 'last' then tried else 0 end as half, due_at, dial_order
      from run_contacts
      where run_id = $1 and due_at is not null and due_at <= $2) as due
where half < case $3 when 'first' then 1 - $4 when 'last' then $4 else 0 end
   or (half = case $3 when 'first' then 1 - $4 when 'last' then $4 else 0 end
       and (due_at < $5 or (due_at = $5 and dial_order < $6)))
