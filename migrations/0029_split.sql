-- By which modes and weights the arms of a list were given, in their order: with the campaign's salt and the numbers
-- everybody can give them again. Null where nothing was given: arms that a copy kept, lists of before.
alter table imports add column split text;
