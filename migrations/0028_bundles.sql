-- What a bundle says in clear: texts, tools, models, how the call is handled. One row however many runs played it; its key
-- is the beginning of the text's SHA-256, so that nothing here is ever changed.
create table bundles
(
    bundle text not null primary key,
    told   text not null
);
