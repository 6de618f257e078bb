-- list_nodes: every process that beat not too long ago, the oldest first
select node, roles, host, started_at, beat_at from nodes order by started_at, node
