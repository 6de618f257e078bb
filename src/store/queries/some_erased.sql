-- some_erased: was anybody erased
select cast(1 as bigint) from erased_numbers limit 1
