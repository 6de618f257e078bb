-- forget_talked_calls: before they are found anew
delete from talked_calls
