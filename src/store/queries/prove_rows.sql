-- prove_rows: rows in, and where each of them went
select cast(coalesce(sum(i.rows_total), 0) as bigint) as rows_total,
       cast(coalesce(sum(i.accepted), 0) as bigint) as accepted,
       cast(coalesce(sum(i.duplicates), 0) as bigint) as duplicates,
       cast(coalesce(sum(i.refused), 0) as bigint) as refused,
       (select count(*) from contacts c where c.campaign_id = $1) as contacts,
       (select count(*) from rejects r join imports x on x.batch_id = r.batch_id
        where x.campaign_id = $1 and r.bucket = 'duplicate') as rejects_duplicate,
       (select count(*) from rejects r join imports x on x.batch_id = r.batch_id
        where x.campaign_id = $1 and r.bucket = 'refused') as rejects_refused
from imports i where i.campaign_id = $1
