-- Who answered a turn of a conversation and what it took. Turns of an older version were answered by the rules.

alter table dialogue_turns add column replier text;
alter table dialogue_turns add column requests bigint not null default 0;
-- Real milliseconds until the model's first piece and its end.
alter table dialogue_turns add column first_ms bigint;
alter table dialogue_turns add column model_ms bigint;
-- tokens_cached of tokens_in.
alter table dialogue_turns add column tokens_in bigint;
alter table dialogue_turns add column tokens_cached bigint;
alter table dialogue_turns add column tokens_out bigint;
alter table dialogue_turns add column cost_micros bigint;
-- JSON: the tools that were called and what became of each; why the goal is reached or not.
alter table dialogue_turns add column tools text;
alter table dialogue_turns add column verdict text;
-- What went wrong, in words; `replier` where the call was ended because of it.
alter table dialogue_turns add column trouble text;
alter table dialogue_turns add column fault text check (fault in ('replier'));

-- Of models_micros: what the replies cost, by their own tokens.
alter table reservations add column replied_micros bigint not null default 0 check (replied_micros >= 0);
