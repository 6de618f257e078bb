-- Requests that may be sent again: what was answered to each, by the key that came with it. Kept for a day.
create table repeats
(
    -- written once
    key         text   not null primary key,
    fingerprint text   not null,               -- SHA-256 over method, address and body
    begun_at    bigint not null,

    -- written with the answer; all null while it is on its way, and where nobody knows what became of it
    status      bigint,
    kind        text,
    location    text,
    body        text,

    check ((status is null) = (body is null))
);

create index repeats_begun on repeats (begun_at);
