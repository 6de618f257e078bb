-- migrations_applied: which migrations the tables have
select version from _halo_migrations where success order by version
