-- give_up_leads: what this process led may be led by another from now on; the generation stands until then
update leaderships set until_at = $2 where owner = $1 and until_at > $2
