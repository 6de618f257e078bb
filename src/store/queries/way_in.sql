-- way_in: the attempt's state and where its granted session takes commands, if the start's answer said so
select a.state,
       (select max(s.access_url) from starts s
        where s.attempt_id = a.attempt_id and s.session_id = a.session_id and s.access_url <> '') as access_url
from attempts a
where a.attempt_id = $1
