-- alive_until: until when a process that dials campaigns has said that it lives
select max(alive_until) from nodes where roles like '%worker%'
