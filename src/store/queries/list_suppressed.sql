-- list_suppressed: newest first
select e164, suppressed_at, suppressed_reason from numbers where suppressed_at is not null order by suppressed_at desc limit $1
