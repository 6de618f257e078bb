-- insert_share: a report that is shown by a link
insert into shared_reports (share_id, campaign_id, language, created_at, created_by, expires_at)
values ($1, $2, $3, $4, $5, $6)
