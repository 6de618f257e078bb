-- get_installation: one value of this installation
select value from installation where name = $1
