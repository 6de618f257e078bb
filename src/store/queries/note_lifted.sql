-- note_lifted: a suppression that ends, with the reason
insert into lifted_suppressions (number_id, suppressed_at, suppressed_reason, suppressed_by, lifted_at, lifted_reason)
select number_id, suppressed_at, suppressed_reason, suppressed_by, $2, $3
from numbers where e164 = $1 and suppressed_at is not null
