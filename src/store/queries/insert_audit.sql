-- insert_audit: who did what
insert into audit (audit_id, at, door, key_id, actor, role, action, subject_type, subject, request_id, detail)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (audit_id) do nothing
