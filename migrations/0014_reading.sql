-- What a list says of a contact besides: from when and until when it may be called, who goes first, and what kind of
-- line its number is.

alter table contacts add column not_before_at bigint;
alter table contacts add column not_after_at bigint;
alter table contacts add column priority bigint not null default 0 check (priority between 0 and 9);
alter table contacts add column phone_kind text;
