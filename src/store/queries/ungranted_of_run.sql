-- ungranted_of_run: started sessions of a run that asked for no grant, in a row
select ungranted from runs where run_id = $1
