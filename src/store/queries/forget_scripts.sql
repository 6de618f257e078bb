-- forget_scripts: what somebody wrote into the prompts of single calls to these contacts; a script of one word
-- stays in its place
update campaigns
set script = '{"prompt":"erased"}'
where kind = 'single' and campaign_id in (
    select c.campaign_id from contacts c where c.contact_id in (
    select cast(w.value as bigint)
    from json_each($1) as w -- sqlite
    from json_array_elements_text(cast($1 as json)) as w (value) -- postgres
    )
)
