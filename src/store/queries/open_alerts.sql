-- open_alerts: what people were told of and is not over
select alert_id, kind, subject, told, raised_at from alerts where resolved_at is null order by raised_at, alert_id
