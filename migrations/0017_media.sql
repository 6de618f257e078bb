-- Audio that our own backend carried between a call and a realtime model: one row for each connection of a session,
-- written when it is over.
create table media_streams
(
    attempt_id bigint not null references attempts (attempt_id),
    opened_at  bigint not null,

    lasted_ms  bigint not null check (lasted_ms >= 0),
    model      text   not null,
    encoding   text   not null check (encoding in ('ULAW', 'ALAW', 'PCM8', 'PCM16')),
    -- who or what ended it, and in whose words
    ended_by   text   not null,
    reason     text   not null,
    -- what was heard, said, lost and cut, and the model's tokens, as JSON
    tally      text   not null,
    -- the tools that were called, as a list in JSON
    tools      text   not null,
    -- by the tokens that the model counted; none where there is no price
    cost_micros bigint,

    primary key (attempt_id, opened_at)
);
