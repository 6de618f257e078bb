-- calls_under_way: sessions that may still report
select count(*) from attempts where state in ('dialing', 'live')
