-- kept_days: how long things are kept
select what, days from retention
