-- forget_attempt_counts: before they are counted anew
delete from attempt_counts
