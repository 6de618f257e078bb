-- Every process that serves this database: it beats every second. Rows of the dead stay for a while, to be seen.
create table nodes
(
    node       text   not null primary key,
    roles      text   not null,
    host       text   not null,
    started_at bigint not null,

    beat_at    bigint not null
);
