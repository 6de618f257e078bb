-- Retries: who was tried already, further numbers of a contact, promised calls.

-- Has a try at this contact ended in this run? Then it is a retry that waits. run_contacts.number_id is the number
-- that its next try rings: the contact's first one until a retry goes to another.
alter table run_contacts add column tried bigint not null default 0 check (tried in (0, 1));

update run_contacts set tried = 1
where exists (select 1 from attempts a where a.run_contact_id = run_contacts.run_contact_id and a.state = 'ended');

-- Two halves, so that retries can go first, last, or among the others without sorting those who wait.
drop index run_contacts_due;
create index run_contacts_due on run_contacts (run_id, tried, due_at, dial_order) where due_at is not null;

-- phone2 to phone10 of a contact; its first number stands in contacts.
create table contact_numbers
(
    contact_id bigint not null references contacts (contact_id),
    ordinal    bigint not null check (ordinal between 2 and 10),
    number_id  bigint not null references numbers (number_id),
    raw_phone  text   not null,

    primary key (contact_id, ordinal),
    unique (contact_id, number_id)
);

create index contact_numbers_by_number on contact_numbers (number_id);
create index contacts_by_external_id on contacts (external_id) where external_id is not null;

-- Cells of accepted rows that could not be used: the row is called without them.
create table import_notes
(
    batch_id bigint not null references imports (batch_id),
    line     bigint not null,
    field    text   not null,
    reason   text   not null,
    raw      text   not null,

    primary key (batch_id, line, field)
);

-- When the callee asked to be called again, whether or not the run could keep the promise.
alter table attempts add column callback_at bigint;
