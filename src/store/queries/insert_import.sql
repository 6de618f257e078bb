-- insert_import: one file, its buckets summed
insert into imports (batch_id, campaign_id, ordinal, source, content_hash, rows_total, accepted, duplicates, refused,
                     imported_at, columns, idempotency_key, split)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
