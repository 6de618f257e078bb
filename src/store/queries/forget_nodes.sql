-- forget_nodes: rows of processes that have been silent for long
delete from nodes where beat_at < $1
