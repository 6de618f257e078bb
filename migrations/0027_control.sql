-- People are told when a night lies beyond its control band.
create table alerts_kept as select * from alerts;
drop table alerts;
create table alerts
(
    alert_id    bigint not null primary key,
    kind        text   not null check (kind in ('breaker', 'balance', 'idle', 'night', 'control')),
    subject     text   not null,
    told        text   not null,
    raised_at   bigint not null,

    resolved_at bigint
);

create unique index one_open_alert on alerts (kind, subject) where resolved_at is null;
insert into alerts (alert_id, kind, subject, told, raised_at, resolved_at)
select alert_id, kind, subject, told, raised_at, resolved_at from alerts_kept;
drop table alerts_kept;
