-- forget_notices: notices from before $1 that nobody waits for
delete from notices
where happened_at < $1 and not exists (select 1 from deliveries d where d.notice_id = notices.notice_id)
