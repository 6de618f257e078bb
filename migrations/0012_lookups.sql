-- Lookups that the dialling of long lists needs: slots that are taken back, and the contacts of one list.
create index attempts_planned on attempts (run_id) where state = 'planned';
create index contacts_by_batch on contacts (batch_id);
