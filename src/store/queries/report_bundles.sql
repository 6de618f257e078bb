-- report_bundles: of campaign $1 at account $2, what played each mode in each night. BundleRow.
select night, mode, bundle
from report_bundles
where campaign_id = $1 and account_id = $2
order by night, mode, bundle
