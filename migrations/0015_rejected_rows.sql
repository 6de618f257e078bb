-- A row that was not accepted, whole: its cells in the order of the file's columns, a JSON array of texts. So it can be
-- taken away, mended and sent again. Rows of older lists have none.

alter table rejects add column cells text;
