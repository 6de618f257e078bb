-- view_version: by which version of the views reports are counted
select version from report_version
