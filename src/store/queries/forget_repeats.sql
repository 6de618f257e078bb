-- forget_repeats: requests that began before $1 are not answered again
delete from repeats where begun_at < $1
