-- What the provider's history tells, in full, and when it is asked again. Durations in seconds are the provider's;
-- no figure of latency is made of them. Addresses of logs and recordings are kept here and shown to nobody.

-- Every session that we know of, and when its history is asked for next; null: nothing is left to ask.
create table sessions
(
    session_id bigint not null primary key,
    attempt_id bigint not null references attempts (attempt_id),
    account_id bigint not null references accounts (account_id),
    known_at   bigint not null,

    ask_at     bigint,
    waited_ms  bigint not null default 0      -- the last patience, program time
);

create index sessions_to_ask on sessions (account_id, ask_at) where ask_at is not null;
create index sessions_by_attempt on sessions (attempt_id);

insert into sessions (session_id, attempt_id, account_id, known_at, ask_at)
select known.session_id, min(known.attempt_id), min(r.account_id), min(known.known_at),
       case when h.session_id is null then min(known.known_at) end
from (select session_id, attempt_id, claimed_at as known_at from starts where session_id is not null
      union all
      select session_id, attempt_id, coalesce(dialed_at, planned_at) from attempts where session_id is not null
      union all
      select session_id, attempt_id, received_at from events where session_id > 0) as known
join attempts a on a.attempt_id = known.attempt_id
join runs r on r.run_id = a.run_id
left join history h on h.session_id = known.session_id
group by known.session_id, h.session_id;

alter table history add column finish_reason text;
alter table history add column session_s bigint;    -- how long the session lasted
alter table history add column talk_s bigint;       -- how long the last outgoing call was answered
alter table history add column code bigint;
alter table history add column reason text;
alter table history add column cost_micros bigint;  -- calls, records and resources together
alter table history add column costs text;          -- the same by kind, as JSON
alter table history add column log_url text;

-- The recordings of a session, in the order of its history.
create table records
(
    session_id bigint not null references history (session_id),
    ordinal    bigint not null check (ordinal >= 1),
    url        text   not null,
    duration_s bigint,

    primary key (session_id, ordinal)
);

-- A session said that it records. Only history's word leads to an address.
alter table calls add column recorded bigint check (recorded in (0, 1));

-- Granted sessions in a row that gave their grant back.
alter table runs add column not_dialled bigint not null default 0;

-- What an attempt cost: every session of it as it was billed, and the call as its session told it until then.
create view attempt_costs as
select attempt_id,
       case
           when billed is null then told
           when call_billed is null then billed + coalesce(told, 0)
           else billed
       end as cost_micros
from (select a.attempt_id, k.cost_micros as told,
             (select cast(sum(h.cost_micros) as bigint) from history h where h.attempt_id = a.attempt_id) as billed,
             (select h.cost_micros from history h where h.session_id = k.session_id) as call_billed
      from attempts a left join calls k on k.attempt_id = a.attempt_id) as costs;
