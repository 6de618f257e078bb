-- morning_made: was the report of campaign $1 for the day $2 made?
select count(*) from morning_reports where campaign_id = $1 and day = $2
