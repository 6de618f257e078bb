-- Until when a process has said that it lives, in program time: how long a beat holds depends on its clock.
alter table nodes add column alive_until bigint not null default 0;

-- Campaigns of lists, beside single calls, of which there may be many more.
create index campaigns_of_lists on campaigns (campaign_id) where kind = 'campaign';
