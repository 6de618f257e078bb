-- list_alerts: the newest alerts, open ones first
select alert_id, kind, subject, told, raised_at, resolved_at from alerts
order by case when resolved_at is null then 0 else 1 end, raised_at desc, alert_id desc
limit $1
