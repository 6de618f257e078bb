-- who_suppressed: who asked that a number be never called again
select suppressed_by from numbers where e164 = $1 and suppressed_at is not null
