-- put_notice_cursor: how far happenings of the kind $1 have been looked at
insert into notice_cursors (name, seen_at) values ($1, $2)
on conflict (name) do update set seen_at = excluded.seen_at where excluded.seen_at > notice_cursors.seen_at
