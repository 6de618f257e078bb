-- list_audit: a page of the audit, the newest first
select audit_id, at, door, key_id, actor, role, action, subject_type, subject, request_id, detail
from audit
where audit_id < $1 and at >= $2 and at < $3
  and ($4 is null or action = $4) -- sqlite
  and ($5 is null or actor = $5 or key_id = $6) -- sqlite
  and ($7 is null or subject = $7) -- sqlite
  and (cast($4 as text) is null or action = $4) -- postgres
  and (cast($5 as text) is null or actor = $5 or key_id = $6) -- postgres
  and (cast($7 as text) is null or subject = $7) -- postgres
order by audit_id desc
limit $8
