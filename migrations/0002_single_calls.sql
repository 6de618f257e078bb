-- A single call is a campaign of one contact and one run of kind 'single': the same rows and the same gates as any
-- other call. No list of campaigns and no report shows it.
alter table campaigns
    add column kind text not null default 'campaign' check (kind in ('campaign', 'single'));
