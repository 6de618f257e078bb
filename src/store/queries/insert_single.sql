-- insert_single: what one call is made by; its name cannot be typed, so it takes nobody's
insert into campaigns (campaign_id, name, settings, script, salt, created_at, kind)
values ($1, $2, $3, $4, '', $5, 'single')
