-- leave_node: this process ends by itself
delete from nodes where node = $1
