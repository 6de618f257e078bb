-- raise_alert: something is wrong, unless that is known already
insert into alerts (alert_id, kind, subject, told, raised_at) values ($1, $2, $3, $4, $5)
on conflict (kind, subject) where resolved_at is null do nothing
returning alert_id
