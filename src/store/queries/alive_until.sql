-- alive_until: until when a process that dials has said that it is alive
select max(until_at) from leaderships where name = 'sweeper'
