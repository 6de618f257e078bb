-- forget_contact_counts: before they are counted anew
delete from contact_counts
