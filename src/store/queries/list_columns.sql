-- list_columns: the columns of each list of a campaign, in their order
select columns from imports where campaign_id = $1 order by ordinal
