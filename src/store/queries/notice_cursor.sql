-- notice_cursor: how far happenings of the kind $1 have been looked at
select seen_at from notice_cursors where name = $1
