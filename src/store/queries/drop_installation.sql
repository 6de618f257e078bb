-- drop_installation: the value called $1 is gone
delete from installation where name = $1
