-- metrics_alerts: alerts that are not over, by kind
select kind, count(*) as alerts from alerts where resolved_at is null group by kind
